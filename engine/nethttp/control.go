// What http.ResponseController, http.Hijacker and their like ask of a response
// beside its bytes.

package nethttp

// EnableFullDuplex says that the handler reads its request to the end although it
// answers before (http.ResponseController). It may read then in any case; but for a
// body of unknown length, only this makes the connection go on.
func (w *response) EnableFullDuplex() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.duplex = true
	return nil
}
