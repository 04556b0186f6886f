#!/usr/bin/env python3
# The script that came with the recordings (recordings/README.md), unchanged but for this line: the reference of package evaluate.
"""Score reconstructed contexts against a recording's truth.

usage: score.py PREFIX ANNOTATIONS [--json]
PREFIX       a recording: PREFIX.truth.jsonl and PREFIX.contexts.jsonl (README.md says what they hold), .zst or plain
ANNOTATIONS  what the program says, a JSON line per log line: {"line": N, "context": "..."|null, "role": "..."}
             line counts from 1 in the order of the log file; context is any string, null for background

attribution  of the effects, the share put into a context whose root (or, without one, any client request) is a request
             of the command that truly caused them. The figure that matters most.
hard attribution   the same without the namespace controller's effects, which are many and easy
false blame  of the background lines, the share put into a context that holds some user's request
root recall, root precision    of the lines whose role is root
b3           B-cubed F1 over root, client and effect lines of the commands with one principal request
exact        of those commands, the share whose set of lines is reproduced exactly
Lines with role unscored and requests that name no resource (discovery) count nowhere.
"""
import collections, json, os, subprocess, sys

def rows(path):
    if not os.path.exists(path): path += ".zst"
    data = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout if path.endswith(".zst") else open(path, "rb").read()
    return [json.loads(l) for l in data.splitlines() if l.strip()]

def score(pre, ann):
    truth = rows(pre + ".truth.jsonl"); cmds = {c["context"]: c for c in rows(pre + ".contexts.jsonl")}
    said = {}
    for a in rows(ann):
        if a["line"] in said: sys.exit(f"line {a['line']} is annotated twice")
        said[a["line"]] = a
    missing = sum(1 for t in truth if t["line"] not in said)
    ctx = lambda t: (said.get(t["line"]) or {}).get("context") or None
    role = lambda t: (said.get(t["line"]) or {}).get("role")
    # which command a said context stands for: its root's, else the command of most of its client requests
    votes = collections.defaultdict(collections.Counter); rooted = {}
    for t in truth:
        c = ctx(t)
        if c and t["role"] in ("root", "client") and t["resource"]:
            votes[c][t["context"]] += 1
            if role(t) == "root": rooted.setdefault(c, t["context"])
    stands = {c: rooted.get(c) or v.most_common(1)[0][0] for c, v in votes.items()}
    n = collections.Counter(); by = collections.defaultdict(lambda: [0, 0])
    for t in truth:
        if not t["resource"]: continue
        if t["role"] == "effect":
            right = stands.get(ctx(t)) == t["context"] and ctx(t) is not None
            n["effects"] += 1; n["right"] += right; n["homeless"] += ctx(t) is None
            if not t["user"].endswith(":namespace-controller"): n["hard"] += 1; n["hard_right"] += right
            k = f"{t['user'].split(':')[-1] if ':node:' not in t['user'] else 'node'} {t['verb']} {t['resource']}" + (f"/{t['subresource']}" if t["subresource"] else "")
            by[k][0] += 1; by[k][1] += right
        elif t["role"] == "background": n["background"] += 1; n["blamed"] += ctx(t) in stands
        if t["role"] in ("root", "client", "effect", "background"):
            if role(t) == "root" and t["role"] in ("root", "client", "effect"): n["said_root"] += 1; n["said_root_right"] += t["role"] == "root"
            if t["role"] == "root": n["roots"] += 1; n["root_found"] += role(t) == "root"
    part = [t for t in truth if t["resource"] and t["role"] in ("root", "client", "effect") and cmds[t["context"]]["principals"] <= 1]
    gold = collections.Counter(t["context"] for t in part); name = lambda t: ctx(t) or f"alone {t['line']}"
    got = collections.Counter(name(t) for t in part); both = collections.Counter((name(t), t["context"]) for t in part)
    p = sum(k * k / got[a] for (a, _), k in both.items()) / max(1, len(part)); r = sum(k * k / gold[b] for (_, b), k in both.items()) / max(1, len(part))
    whole = sum(1 for (a, b), k in both.items() if k == gold[b] == got[a])
    d = lambda a, b: round(a / b, 4) if b else None
    worst = sorted(((v[0] - v[1], k, v) for k, v in by.items() if v[0] > v[1]), reverse=True)[:15]
    return {"lines": len(truth), "not annotated": missing, "commands": len(cmds), "effects": n["effects"], "attribution": d(n["right"], n["effects"]), "hard attribution": d(n["hard_right"], n["hard"]),
            "effects without context": d(n["homeless"], n["effects"]), "false blame": d(n["blamed"], n["background"]), "root recall": d(n["root_found"], n["roots"]),
            "root precision": d(n["said_root_right"], n["said_root"]), "b3 precision": round(p, 4), "b3 recall": round(r, 4), "b3": round(2 * p * r / (p + r), 4) if p + r else 0.0,
            "exact": d(whole, len(gold)), "worst": [f"{k}: {v[1]} of {v[0]} right" for _, k, v in worst]}

if __name__ == "__main__":
    if len(sys.argv) < 3: sys.exit(__doc__)
    s = score(sys.argv[1], sys.argv[2])
    if "--json" in sys.argv: print(json.dumps(s))
    else:
        for k, v in s.items(): print(f"{k}: {v}" if k != "worst" else "worst:\n  " + "\n  ".join(v))
