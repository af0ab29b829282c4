package graft

import (
	"strings"

	"graft.example/graft/internal/raw"
)

// Policy is what Graft does not know by itself about a model. It never changes, and belongs to the engines opened with
// it (WithPolicy) and to no other.
type Policy struct{ h handle }

// PolicyFromJSON describes an architecture by a JSON object, in the form of docs/architecture-json.md. It is read when
// an engine is opened with it. ErrInvalidArgument: not a JSON object.
func PolicyFromJSON(json string) (*Policy, error) {
	return newPolicy(func(out *raw.Handle) error { return raw.Graft_policy_from_json(json, out) })
}

// RowParallelPolicy says which linears of the layers of a class are row-parallel (their outputs are summed over ranks):
// names relative to the layer, "self_attn.o_proj" for example. All others are column-parallel. ErrInvalidArgument: an
// empty class, no name, an empty name.
func RowParallelPolicy(layerClass string, names ...string) (*Policy, error) {
	var joined strings.Builder
	for _, name := range names {
		if strings.IndexByte(name, 0) >= 0 {
			return nil, invalid("names: %q holds a NUL", name)
		}
		joined.WriteString(name)
		joined.WriteByte(0)
	}
	return newPolicy(func(out *raw.Handle) error {
		return raw.Graft_policy_row_parallel(layerClass, joined.String(), out)
	})
}

func newPolicy(call func(*raw.Handle) error) (*Policy, error) {
	p := &Policy{}
	if err := p.h.made(call, raw.Graft_policy_free); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Policy) handle() *handle {
	if p == nil {
		return nil
	}
	return &p.h
}

// Close releases the policy; engines opened with it keep their copy.
func (p *Policy) Close() error { return p.handle().close() }
