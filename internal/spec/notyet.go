package spec

// notYet says of what is read and checked, and not acted on in this version,
// that it is so: better a remark than silence.
func (b *builder) notYet() {
	if n := b.root.kid("diagnose"); n != nil {
		b.warn(n, n.key, "it does no harm and can stay", "[diagnose] is read and checked, but not yet acted on")
	}
}
