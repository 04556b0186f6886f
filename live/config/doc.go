// Package config reads the configuration of whet serve --config, a file of YAML
// that says which clusters send their audit events by which way, who may send
// and who may read, and what is kept for how long.
//
//	apiVersion: whet/v1
//	kind: ServeConfig
//	data: /var/lib/whet
//	listen: 0.0.0.0:8443
//	tls: {certificate: server.crt, key: server.key, clientCA: clients.crt}
//	clients:
//	- {name: prod-apiserver, roles: ingest, clusters: prod, commonName: prod-apiserver}
//	- {name: alice, roles: read, tokenFile: alice.token}
//	clusters:
//	- name: prod
//	  sources: [{webhook: true}]
//	- name: edge
//	  sources: [{file: /var/log/kubernetes/audit.log}]
//
// Parse checks everything that can be known without looking at other files. An
// error names the file, the line and the key; a misspelt key is an error that
// names the one that was meant. Relative paths begin at the folder of the file.
// Where something is left out, the default of the package that uses it counts,
// and stands in that package's documentation.
//
// docs/live.md explains every key.
package config
