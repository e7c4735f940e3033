package wire

import "time"

// epoch is what every moment in this package is counted from. time.Since on a
// fixed start reads the monotonic clock alone and costs half of time.Now
// (25 against 45 ns where it was measured), and a request reads it three times.
var epoch = time.Now()

// now is the time since epoch.
func now() time.Duration { return time.Since(epoch) }
