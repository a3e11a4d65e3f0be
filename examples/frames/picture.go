package main

import "hash/crc32"

// Size is that of an image, in pixels of three bytes: red, green, blue.
type Size struct{ Width, Height int64 }

// Bytes is how many bytes an image has.
func (s Size) Bytes() int64 { return s.Width * s.Height * 3 }

// different is how many images there are; then they come again.
const different = 64

// Draw draws image n, in which stripes move over a checked ground.
func (s Size) Draw(pixels []byte, n int64) {
	i, step := 0, n%different*(256/different)
	for y := range s.Height {
		for x := range s.Width {
			pixels[i] = byte(x + step)
			pixels[i+1] = byte(y - 2*step)
			pixels[i+2] = byte((x^y)&32 + x + y + 3*step)
			i += 3
		}
	}
}

// Look is what there is to see in an image.
type Look struct {
	CRC        uint32
	Brightness float64 // the mean of all its bytes
}

// Expected is what the last stage must see in image n. It is worked out here alone, in private memory.
func (s Size) Expected(n int64) Look {
	pixels := make([]byte, s.Bytes())
	s.Draw(pixels, n)
	sum := 0
	for i := 0; i < len(pixels); i += 3 {
		p := pixels[i : i+3]
		grey := (77*int(p[0]) + 150*int(p[1]) + 29*int(p[2])) >> 8
		p[0], p[1], p[2] = byte(grey), byte(grey), byte(grey)
		sum += 3 * grey
	}
	return Look{crc32.ChecksumIEEE(pixels), float64(sum) / float64(len(pixels))}
}
