// Package engine is an ECS-compatible control plane in one process: it keeps services running as their owners wish.
package engine
