package awswire

// A DocumentWriter writes the SDK's types as they stand in the details of AWS's events: as in answers, but with times in
// ISO 8601. It may be used by several goroutines.
type DocumentWriter struct{ w jsonWriter }

// NewDocumentWriter returns a writer that leaves out the named lists when they are nil, as Options.OmitEmpty does.
func NewDocumentWriter(omitEmpty ...string) *DocumentWriter {
	return &DocumentWriter{jsonWriter{omitEmpty: omitEmpty, iso: true}}
}

// Write returns a structure of the SDK, or what a pointer to one points to, as JSON.
func (d *DocumentWriter) Write(v any) ([]byte, error) { return d.w.write(nil, v) }
