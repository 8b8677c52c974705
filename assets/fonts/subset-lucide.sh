#!/bin/sh
# Cuts the glyphs of the window's icons out of Lucide's font: those whose characters src/ui/icons.rs names.
#
#   assets/fonts/subset-lucide.sh LUCIDE.TTF
#
# LUCIDE.TTF is `lucide.ttf` of Lucide 1.66.0 (https://github.com/lucide-icons/lucide/releases, "lucide-font"), which the
# crate lucide-icons 1.66.0 carries too. This needs pyftsubset (pip install fonttools; made with 4.68.0).
set -eu
[ $# = 1 ] && [ -f "$1" ] || { echo "usage: $0 LUCIDE.TTF (Lucide's font, see $0)" >&2; exit 2; }
here=$(dirname "$0")
glyphs=$(sed -n "s/.*'\\\\u{\([0-9a-f]*\)}'.*/U+\1/p" "$here/../../src/ui/icons.rs" | sort -u | paste -sd,)
[ -n "$glyphs" ] || { echo "$0: src/ui/icons.rs names no characters" >&2; exit 1; }
# The letters and ligatures of the names (l-o-c-k is the lock) stay: the window does not write them, but the rasteriser
# hints a glyph as Latin only if it comes from Latin letters, and icons without hinting are blurred.
pyftsubset "$1" --unicodes="$glyphs,U+2D,U+30-39,U+61-7A" --layout-features=liga --no-layout-closure \
    --no-recalc-timestamp --output-file="$here/Lucide-subset.ttf"
