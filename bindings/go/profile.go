package graft

import "graft.example/graft/internal/raw"

// Profile is where the time went, taken by Engine.TakeProfile. It never changes.
type Profile struct{ h handle }

func (p *Profile) handle() *handle {
	if p == nil {
		return nil
	}
	return &p.h
}

// Count gives the number of forward passes that Milliseconds gives; 0 after Close.
func (p *Profile) Count() int64 {
	pointer, err := p.handle().use()
	if err != nil {
		return 0
	}
	defer p.h.done()
	return raw.Graft_profile_count(pointer)
}

// Milliseconds gives how long each forward pass took, oldest first: the newest 65536.
func (p *Profile) Milliseconds() ([]float64, error) {
	pointer, err := p.handle().use()
	if err != nil {
		return nil, err
	}
	defer p.h.done()
	values := make([]float64, 1+raw.Graft_profile_count(pointer)) // the first receives the count
	if err := raw.Graft_profile_milliseconds(pointer, values); err != nil {
		return nil, failed(err)
	}
	return values[1:], nil
}

// Table gives the profile by operation, as a JSON object: "forwards", "dropped", "forward_ms", "explained", and under
// "ops" rows of "op", "variant", "calls", "milliseconds", "share", the longest first.
func (p *Profile) Table() (string, error) { return p.handle().text(raw.Graft_profile_table) }

// Close releases the profile.
func (p *Profile) Close() error { return p.handle().close() }
