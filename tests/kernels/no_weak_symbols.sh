#!/bin/sh
# no_weak_symbols.sh OBJECT...
#
# Fails when an object compiled for a wider instruction set defines a weak symbol: the linker could pick that copy of an
# inline function for the whole program, and a host without the instructions would stop on it. Objects are told by
# their names (*_avx2*.o, *_avx512*.o); others are passed over. At least one must be among them.
status=0
checked=0
for object in "$@"; do
  case "$(basename "$object")" in
    *_avx2* | *_avx512*) ;;
    *) continue ;;
  esac
  symbols=$(nm --defined-only "$object") || exit 2
  checked=$((checked + 1))
  # DW.ref.*: pointers to the exception personality, data without code.
  weak=$(printf "%s\n" "$symbols" | awk '$2 ~ /^[WwVvu]$/ && $3 !~ /^DW\.ref\./ { print $3 }' | c++filt)
  if [ -n "$weak" ]; then
    echo "$object defines weak symbols:"
    printf '%s\n' "$weak" | sed 's/^/  /'
    status=1
  fi
done
if [ "$checked" -eq 0 ]; then
  echo "no_weak_symbols.sh: no *_avx2 or *_avx512 object was given" >&2
  exit 2
fi
echo "$checked objects checked"
exit $status
