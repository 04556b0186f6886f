// Names of users and resources as people say them.

/**
 * A username as the command line says it too: system:serviceaccount:ci:deployer
 * is ci/deployer, an account of kube-system its name alone.
 */
export function shortUser(username: string): string {
  if (username === "") return "(nobody)";
  const account = /^system:serviceaccount:([^:]*):(.*)$/s.exec(username);
  if (account) return account[1] === "kube-system" ? account[2]! : `${account[1]!}/${account[2]!}`;
  if (username.startsWith("system:node:")) return "kubelet " + username.slice("system:node:".length);
  const part = /^system:(kube-(?:scheduler|controller-manager|proxy))$/.exec(username);
  return part ? part[1]! : username;
}

/** What the parts of a control plane do, for people who do not know them. */
const TRADES = new Map<string, string>(
  Object.entries({
    "deployment-controller": "keeps deployments at their wanted state",
    "replicaset-controller": "makes and removes pods until there are as many as wanted",
    "statefulset-controller": "keeps numbered pods at their wanted state",
    "daemon-set-controller": "keeps one pod on each node",
    "job-controller": "runs pods until their work is done",
    "cronjob-controller": "starts jobs by the clock",
    "generic-garbage-collector": "removes what belonged to something deleted",
    "namespace-controller": "empties a namespace that is being deleted",
    "endpointslice-controller": "notes which pods a service reaches",
    "endpoint-controller": "notes which pods a service reaches",
    "endpointslicemirroring-controller": "copies hand-made endpoints into slices",
    "horizontal-pod-autoscaler": "changes the number of pods with the load",
    "disruption-controller": "counts how many pods may be lost at once",
    "root-ca-cert-publisher": "gives each namespace the cluster's certificate",
    "service-account-controller": "gives each namespace a default account",
    "persistent-volume-binder": "joins claims with volumes",
    "pvc-protection-controller": "keeps claims that are in use",
    "pv-protection-controller": "keeps volumes that are in use",
    "resourcequota-controller": "counts what a namespace uses",
    "ttl-after-finished-controller": "removes finished jobs",
    "pod-garbage-collector": "removes pods that ended or lost their node",
    "node-controller": "watches whether nodes answer",
    "attachdetach-controller": "attaches volumes to nodes",
    "clusterrole-aggregation-controller": "puts roles together",
    "system:kube-scheduler": "chooses a node for each pod",
    "system:apiserver": "the API server itself",
    "system:kube-controller-manager": "runs the controllers",
  }),
);

/** A component's trade in plain words, "" where it is not known. */
export function trade(username: string): string {
  if (username.startsWith("system:node:")) return "runs the containers on its node";
  return TRADES.get(username) ?? TRADES.get(shortUser(username)) ?? "";
}

/** A resource with its group, as kubectl writes it: deployments.apps. */
export function resourceName(resource: string, group = "", subresource = ""): string {
  return resource + (group === "" ? "" : "." + group) + (subresource === "" ? "" : "/" + subresource);
}

/** One of a resource: pods is pod, networkpolicies is networkpolicy. */
export function singular(resource: string): string {
  if (/ies$/.test(resource)) return resource.slice(0, -3) + "y";
  if (/(ss|x|ch|sh)es$/.test(resource)) return resource.slice(0, -2);
  return /[^s]s$/.test(resource) ? resource.slice(0, -1) : resource;
}

/** An object as people write it: namespace/name, or what there is of it. */
export function objectPath(namespace = "", name = ""): string {
  if (namespace === "") return name;
  return name === "" ? namespace : `${namespace}/${name}`;
}

/** A number with its word: 1 effect, 2 effects. */
export function plural(n: number, word: string, many = word + "s"): string {
  return `${count(n)} ${n === 1 ? word : many}`;
}

const NUMBER = new Intl.NumberFormat("en");

/** A number with separators: 9,905. */
export function count(n: number): string {
  return NUMBER.format(n);
}

/** A number that fits a small place: 950, 12k, 3.4M. */
export function compact(n: number): string {
  if (n < 1000) return String(n);
  if (n < 10_000) return (n / 1000).toFixed(1).replace(/\.0$/, "") + "k";
  if (n < 1_000_000) return Math.round(n / 1000) + "k";
  return (n / 1e6).toFixed(1).replace(/\.0$/, "") + "M";
}

/** Bytes as people read them: 33.1 MB. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]!}`;
}
