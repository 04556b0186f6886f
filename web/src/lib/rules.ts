// What the linker's rules mean, in words for people who do not know them.
// docs/linking.md says exactly what each rule fits; a test holds the two
// together.

const MEANINGS = new Map<string, string>(
  Object.entries({
    "cronjob-clock": "Work on a schedule goes back to whoever set the schedule.",
    "event-of-own-action": "A component wrote down what it had just done itself.",
    "pod-bound": "A pod that was created, or a node that had room again, made the scheduler choose a node.",
    "pod-token": "The node asked for the token of a pod that began on it.",
    "pod-mounts": "The node read what a pod that began on it uses.",
    "kubelet-pod": "The node acted on a pod that was changed before.",
    admission: "The API server did this while it handled the other request.",
    "quota-usage": "The API server counted the other request against a quota.",
    "quota-recount": "A change in the namespace had its quota counted anew.",
    "namespace-emptied": "The namespace was being deleted, so it was emptied.",
    "namespace-finalized": "The namespace was changed or deleted, and this finished that.",
    "service-endpoints": "The service, or a pod behind it, changed, so who can be reached was noted anew.",
    "volume-bound": "A claim and its volume were brought together after one of them, or its pod, changed.",
    "status-of-controlled": "The object, or something that it controls, changed, so its state was noted.",
    "cronjob-tick": "The schedule made this job.",
    "made-by-owner": "Its owner changed, so what the owner needs was made.",
    "operator-watched": "An operator saw a change of an object that it looks after.",
    "made-unnamed": "Something that makes such objects changed in the namespace.",
    "scaled-by-target": "An automatic scaler changed the number of what it points to.",
    evicted: "The pod, its owner or its node changed, and the pod had to go.",
    "follows-owner": "Its owner changed or went, and it followed.",
    "remade-in-namespace": "What every namespace must have was missing, and was made again.",
    related: "The objects of both requests belong together.",
    "same-train": "The same component asked this together with the request before it.",
    "namespace-read": "The component looked at the namespace just after something changed there.",
    "resource-defined": "A new kind of resource was defined, so components began to watch it.",
  }),
);

/** What a rule means, "" where it is not known. */
export function meaning(rule: string): string {
  return MEANINGS.get(rule) ?? "";
}

/** The rules whose meaning is known. */
export function explained(): string[] {
  return [...MEANINGS.keys()];
}
