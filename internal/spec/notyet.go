package spec

// notYet says of what is read and checked, and not acted on in this version,
// that it is so: better a remark than silence.
func (b *builder) notYet() {
	for _, name := range []string{"observe", "diagnose"} {
		if n := b.root.kid(name); n != nil {
			b.warn(n, n.key, "it does no harm and can stay", "[%s] is read and checked, but not yet acted on", name)
		}
	}
	gate := b.root.kid("gate")
	if gate == nil {
		return
	}
	if n := gate.kid("confirm"); n != nil && b.spec.Gate.Confirm > 0 {
		b.warn(n, n.key, "run loadline ab with --base-start and --head-start: it confirms by restarting both sides",
			"confirm is not yet acted on in a run against stored baselines: a second run on the same machine would be misled by whatever misled the first")
	}
	if n := gate.kid("rounds"); n != nil {
		b.warn(n, n.key, "leave it out", "rounds is not yet acted on: the length of rounds follows from the load")
	}
}
