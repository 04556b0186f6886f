package model

import (
	"fmt"
	"slices"
)

// feature numbers what is known of a line. Each is a category, a string; ""
// is what a line lacks.
type feature int

// The features of the event alone, as the fields of audit.k8s.io name them.
const (
	fLevel feature = iota
	fStage
	fVerb
	fGroup
	fResource
	fSubresource
	fNamespaced
	fNamed
	fNamespace
	fComponent
	fUserGroup
	fTool
	fToolVersion
	fToolPart
	fImpersonated
	fCode
	fDecision
	fDryRun
	fManager
	fRequestKind
	fResponseKind
	fOwnerKind
	fInvolvedKind
	fReason
	fType
	fSource
	fPatch
	fPatchPath
	fDeletion
	fGenerated

	// The features of how the line relates to others, and of what the linker
	// proposes.

	fRole
	fRule
	fConfidence
	fAutonomous
	fOperationAction
	fContextAction
	fOwnContext
	fSinceRoot
	fCauseAction
	fCauseComponent
	fSinceCause
	fRivalAction
	fRivalAgrees
	fSinceRival
	fObjectAction
	fObjectAgrees
	fSinceObject
	fClientAgrees
	fSinceClient
	fNodeAgrees
	fNamespaceAgrees
	fSinceNamespace
	fNamespaceMix
	fLineAgrees
	fOwnAgrees

	featureCount int = iota
)

// firstRelation is the first feature that is not of the event alone.
const firstRelation = fRole

// FeatureNames lists the features. With relations false, only those of the
// event alone, which is what the seed's network sees.
func FeatureNames(relations bool) []string {
	names := []string{
		"level", "stage", "verb", "apiGroup", "resource", "subresource", "namespaced", "named", "namespace",
		"component", "userGroup", "tool", "toolVersion", "toolPart", "impersonated", "code", "decision",
		"dryRun", "fieldManager", "requestKind", "responseKind", "ownerKind", "involvedKind", "reason", "type",
		"source", "patch", "patchPath", "deletion", "generated",
	}
	if !relations {
		return names
	}
	return append(names,
		"role", "rule", "confidence", "autonomous", "operationAction", "contextAction", "ownContext", "sinceRoot",
		"causeAction", "causeComponent", "sinceCause", "rivalAction", "rivalAgrees", "sinceRival",
		"objectAction", "objectAgrees", "sinceObject", "clientAgrees", "sinceClient", "nodeAgrees",
		"namespaceAgrees", "sinceNamespace", "namespaceMix", "lineAgrees", "ownAgrees")
}

// featuresByName gives the features with the names.
func featuresByName(names []string) ([]feature, error) {
	all := FeatureNames(true)
	list := make([]feature, len(names))
	for i, name := range names {
		at := slices.Index(all, name)
		if at < 0 {
			return nil, fmt.Errorf("no feature is named %q", name)
		}
		list[i] = feature(at)
	}
	return list, nil
}

// edge numbers the lines that a line relates to.
type edge int

const (
	edgeCause  edge = iota // the event that caused it
	edgeRival              // the next best cause
	edgeObject             // the event before on the same object
	edgeClient             // the event before of the same client
	edgeRoot               // the root of its operation

	edgeCount int = iota
)

// candidate numbers the labels that a line brings along.
type candidate int

const (
	ofOperation candidate = iota // of the root of its operation, as the linker has it
	ofContext                    // of the root of its context
	ofRival                      // of the operation of the next best cause
	ofOwn                        // its own
	ofObject                     // of the operation of the event before on the same object
	ofNamespace                  // of the newest operation in its namespace

	candidateCount int = iota
)
