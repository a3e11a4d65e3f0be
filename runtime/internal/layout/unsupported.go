//go:build !linux || !(amd64 || arm64 || loong64 || ppc64le || riscv64)

package layout

// Every package of the runtime imports this one, so elsewhere the build stops here, with one
// sentence: "undefined: polyipc_supports_64_bit_Linux_only".
var _ = polyipc_supports_64_bit_Linux_only
