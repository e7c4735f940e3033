package wire

import "encoding/binary"

// The parts of HTTP/2 (RFC 9113) that a client with one stream at a time needs.

type frameType uint8

const (
	frameData         frameType = 0
	frameHeaders      frameType = 1
	frameRST          frameType = 3
	frameSettings     frameType = 4
	framePush         frameType = 5
	framePing         frameType = 6
	frameGoAway       frameType = 7
	frameWindow       frameType = 8
	frameContinuation frameType = 9
)

const (
	flagAck        = 0x1 // SETTINGS, PING
	flagEndStream  = 0x1 // DATA, HEADERS
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	settingTableSize  = 1
	settingPush       = 2
	settingWindow     = 4
	settingMaxFrame   = 5
	settingHeaderList = 6
)

const (
	preface2     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHead    = 9
	maxFrame     = 16384 // of a payload, either way, unless a peer allows more
	firstWindow  = 65535 // of a stream and of a connection, until told otherwise
	maxWindow    = 1<<31 - 1
	streamWindow = 4 << 20 // what a server may send ahead; dropped as it comes, so only to keep it busy
	connWindow   = 1 << 30
)

// appendFrame appends the head of a frame.
func appendFrame(b []byte, t frameType, flags byte, stream uint32, length int) []byte {
	b = append(b, byte(length>>16), byte(length>>8), byte(length), byte(t), flags)
	return binary.BigEndian.AppendUint32(b, stream)
}

// appendPreface appends what a client says first.
func appendPreface(b []byte) []byte {
	b = append(b, preface2...)
	b = appendFrame(b, frameSettings, 0, 0, 3*6)
	b = appendSetting(b, settingPush, 0)
	b = appendSetting(b, settingWindow, streamWindow)
	b = appendSetting(b, settingHeaderList, maxHead)
	return appendWindow(b, 0, connWindow-firstWindow)
}

func appendSetting(b []byte, id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, id), value)
}

// appendWindow lets the server send n more bytes.
func appendWindow(b []byte, stream uint32, n int64) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, frameWindow, 0, stream, 4), uint32(n))
}

// codes are the names of error codes (RFC 9113 7).
var codes = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

const (
	codeNone    = 0
	codeRefused = 7
	codeCancel  = 8
)

func codeName(code uint32) string {
	if int(code) < len(codes) {
		return codes[code]
	}
	return "an unknown error"
}
