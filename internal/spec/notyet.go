package spec

// notYet says of what is read and checked, and not acted on in this version,
// that it is so: better a remark than silence.
func (b *builder) notYet() {
	for _, name := range []string{"observe", "diagnose"} {
		if n := b.root.kid(name); n != nil {
			b.warn(n, n.key, "it does no harm and can stay", "[%s] is read and checked, but not yet acted on", name)
		}
	}
}
