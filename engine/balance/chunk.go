package balance

import "errors"

var errChunks = errors.New("target sent a body in chunks that are none")

// chunks follows a body in chunks, to know where it ends. [RFC 9112, 7.1]
type chunks struct {
	at   chunkState
	left int64 // of the chunk's data
	seen int   // digits of the size, or characters of the trailer's line
}

type chunkState int

// mostDigits are those of a size below 2 to the power of 60.
const mostDigits = 15

const (
	inSize   chunkState = iota
	inBlanks            // after the size
	inExtension
	afterSize // CR was there
	inData
	afterData    // the data was there
	afterDataCR  // and CR
	inTrailer    // of the last chunk
	afterTrailer // CR was there
	atEnd
)

// follow returns how many bytes of b belong to the body; all of them, unless it ends there.
func (c *chunks) follow(b []byte) (int, error) {
	for i := 0; i < len(b); {
		if c.at == inData {
			n := min(c.left, int64(len(b)-i))
			i += int(n)
			if c.left -= n; c.left == 0 {
				c.at = afterData
			}
			continue
		}
		if !c.step(b[i]) {
			return i, errChunks
		}
		if i++; c.at == atEnd {
			return i, nil
		}
	}
	return len(b), nil
}

// step takes one byte that is not data; it returns false when that must not be there.
func (c *chunks) step(b byte) bool {
	switch c.at {
	case inSize:
		return c.digit(b)
	case inBlanks:
		switch b {
		case ';':
			c.at = inExtension
		case '\r':
			c.at = afterSize
		}
		return b == ';' || b == '\r' || b == ' ' || b == '\t'
	case inExtension:
		if b == '\r' {
			c.at = afterSize
		}
		return b != '\n'
	case afterSize:
		c.at, c.seen = inData, 0
		if c.left == 0 {
			c.at = inTrailer
		}
		return b == '\n'
	case afterData:
		c.at = afterDataCR
		return b == '\r'
	case afterDataCR:
		c.at = inSize
		return b == '\n'
	case inTrailer:
		if b == '\r' {
			c.at = afterTrailer
			return true
		}
		c.seen++
		return b != '\n'
	default: // afterTrailer
		c.at = inTrailer
		if c.seen == 0 {
			c.at = atEnd
		}
		c.seen = 0
		return b == '\n'
	}
}

func (c *chunks) digit(b byte) bool {
	var v byte
	switch {
	case '0' <= b && b <= '9':
		v = b - '0'
	case 'a' <= b && b <= 'f':
		v = b - 'a' + 10
	case 'A' <= b && b <= 'F':
		v = b - 'A' + 10
	case b == '\r':
		c.at = afterSize
		return c.seen > 0
	case b == ';' || b == ' ' || b == '\t':
		c.at = inBlanks
		if b == ';' {
			c.at = inExtension
		}
		return c.seen > 0
	default:
		return false
	}
	c.left = c.left<<4 | int64(v)
	c.seen++
	return c.seen <= mostDigits
}
