package load

// merge adds later books of the same shape.
func (b *books) merge(from *books) {
	for key, c := range from.cells {
		b.cell(key).merge(c)
	}
	for i := range from.phases {
		b.phases[i].merge(&from.phases[i])
	}
	for i := range from.tallies {
		b.tallies[i].Passed += from.tallies[i].Passed
		b.tallies[i].Failed += from.tallies[i].Failed
	}
	for i := range from.flows {
		into, f := &b.flows[i], &from.flows[i]
		into.Offered += f.Offered
		into.Started += f.Started
		into.Completed += f.Completed
		into.Cut += f.Cut
		into.Dropped += f.Dropped
	}
	for i := range from.values {
		b.values[i].merge(&from.values[i])
	}
	b.iteration.merge(&from.iteration)
	b.lag.merge(&from.lag)
	b.noPorts += from.noPorts
}

// reset empties the books. Cells in which nothing was counted since the last
// reset are given up, as those of a stage that is over.
func (b *books) reset() {
	b.recent = [len(b.recent)]*cell{}
	for key, c := range b.cells {
		if c.count == 0 {
			delete(b.cells, key)
			continue
		}
		c.count, c.in, c.out = 0, 0, 0
		c.latency.reset()
		if c.service != nil {
			c.service.reset()
		}
	}
	for i := range b.phases {
		b.phases[i].reset()
	}
	for i := range b.tallies {
		b.tallies[i].Passed, b.tallies[i].Failed = 0, 0
	}
	for i := range b.flows {
		f := &b.flows[i]
		f.Offered, f.Started, f.Completed, f.Cut, f.Dropped = 0, 0, 0, 0, 0
	}
	for i := range b.values {
		v := &b.values[i]
		v.trend.reset()
		*v = value{trend: v.trend}
	}
	b.iteration.reset()
	b.lag.reset()
	b.noPorts = 0
}

func (c *cell) merge(from *cell) {
	c.count += from.count
	c.in += from.in
	c.out += from.out
	switch {
	case from.service != nil:
		c.split()
		c.service.merge(from.service)
	case c.service != nil:
		c.service.merge(&from.latency)
	}
	c.latency.merge(&from.latency)
}

func (p *phases) merge(from *phases) {
	p.dns.merge(&from.dns)
	p.connect.merge(&from.connect)
	p.tls.merge(&from.tls)
	p.ttfb.merge(&from.ttfb)
	p.body.merge(&from.body)
	p.queue.merge(&from.queue)
}

func (p *phases) reset() {
	p.dns.reset()
	p.connect.reset()
	p.tls.reset()
	p.ttfb.reset()
	p.body.reset()
	p.queue.reset()
}

func (v *value) merge(from *value) {
	if from.count == 0 {
		return
	}
	if v.count == 0 {
		v.min, v.max = from.min, from.max
	}
	v.count += from.count
	v.isTrue += from.isTrue
	v.sum += from.sum
	v.min, v.max, v.last = min(v.min, from.min), max(v.max, from.max), from.last
	v.trend.merge(&from.trend)
}
