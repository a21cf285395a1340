package rollout

// Diagnosis is the named cause of a failure, with its evidence and the remedy.
type Diagnosis struct {
	Cause    Cause    `json:"cause"`
	Summary  string   `json:"summary"`            // one sentence: what happened, to which container, with which code
	Evidence []string `json:"evidence,omitempty"` // lines, the strongest first
	Logs     []string `json:"logs,omitempty"`     // what the container wrote last, oldest first
	Remedy   string   `json:"remedy"`
}
