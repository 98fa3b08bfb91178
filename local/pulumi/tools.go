//go:build tools

// Package engine pins the Pulumi engine that `make up` builds where no pulumi command is installed.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
