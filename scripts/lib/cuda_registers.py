#!/usr/bin/env python3
"""What ptxas reported of the kernels that a build compiled: registers, shared memory, stack and spills.
Kernels of a decode step (HOT) may not spill at all; others no more than the committed report admits.

cuda_registers.py BUILD            prints the table, sorted: file, kernel, architecture, registers, stack, spills, shared
cuda_registers.py BUILD REPORT     compares it with the committed one; exit 1 when a kernel spills more than it says,
                                   a hot one spills, or the two name different kernels
cuda_registers.py BUILD REPORT --write
"""
import pathlib
import re
import shutil
import subprocess
import sys

HOT = re.compile(r"^(linear_gemv|attention_decode|residual_norm|sum_residual_norm|rotary_cache|rotary_attention|activation|embedding|gather_rows|"
                 r"choose_token|next_step|route_experts|expert_linear_gemv|combine_experts)")
HEADER = "file\tkernel\tarchitecture\tregisters\tstack_bytes\tspill_stores\tspill_loads\tshared_bytes"
ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\S+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def readable(names):
    """Demangled, without namespaces, types of parameters and what nvcc adds to unnamed namespaces."""
    tool = shutil.which("c++filt")
    if not tool:
        sys.exit("cuda_registers: no c++filt (Debian: binutils)")
    plain = subprocess.run([tool], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    short = {}
    for name, text in zip(names, plain.splitlines()):
        text = re.sub(r"\(anonymous namespace\)::|_GLOBAL__N__[0-9a-zA-Z_]*::|graft::kernels::(cuda::)?", "", text)
        text = re.sub(r"^void ", "", text)
        depth = 0
        for i, letter in enumerate(text):  # up to the parameters
            depth += {"<": 1, ">": -1}.get(letter, 0)
            if letter == "(" and depth == 0 and i > 0:
                text = text[:i]
                break
        short[name] = re.sub(r"\((?:DType|Activation|bool|int|unsigned int|NormKind)\)", "", text)
    return short


def measured(build):
    """{(file, kernel, architecture): (registers, stack, spill stores, spill loads, shared)} of the sources that exist."""
    reports = sorted(pathlib.Path(build).glob("CMakeFiles/graft_cuda.dir/kernels/cuda/*.cu.o.ptxas"))
    source = pathlib.Path(__file__).resolve().parents[2] / "kernels/cuda"
    found = {}
    for report in reports:
        file = report.name.removesuffix(".o.ptxas")
        if not (source / file).exists():
            continue  # of a source that has been renamed since
        key, numbers = None, None
        for line in report.read_text().splitlines():
            if match := ENTRY.search(line):
                key = (file, match[1], match[2])
            elif match := STACK.search(line):
                numbers = tuple(int(n) for n in match.groups())
            elif key and numbers and (match := USED.search(line)):
                shared = SHARED.search(line)
                found[key] = (int(match[1]), *numbers, int(shared[1]) if shared else 0)
                key, numbers = None, None
    names = readable(sorted({key[1] for key in found}))
    rows = {(file, names[name], arch): row for (file, name, arch), row in found.items()}
    if len(rows) != len(found):
        sys.exit("cuda_registers: two kernels of a file have one name; give them names of their own")
    return rows


def written(rows):
    lines = ["\t".join((*key, *map(str, row))) for key, row in sorted(rows.items())]
    return "\n".join([HEADER, *lines]) + "\n"


def read(path):
    rows = {}
    for line in pathlib.Path(path).read_text().splitlines()[1:]:
        cells = line.split("\t")
        rows[tuple(cells[:3])] = tuple(int(n) for n in cells[3:])
    return rows


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rows = measured(sys.argv[1])
    if not rows:
        sys.exit(f"{sys.argv[1]}: no reports of ptxas: has libgraft_cuda.so been built there?")
    if len(sys.argv) == 2:
        print(written(rows), end="")
        return
    if "--write" in sys.argv:
        pathlib.Path(sys.argv[2]).write_text(written(rows))
        return
    expected = read(sys.argv[2])
    bad = [f"{' '.join(key)}: not in the report" for key in sorted(rows.keys() - expected.keys())]
    bad += [f"{' '.join(key)}: in the report, but not built" for key in sorted(expected.keys() - rows.keys())]
    for key in sorted(rows.keys() & expected.keys()):
        got, said = rows[key], expected[key]
        if (got[2] or got[3]) and HOT.match(key[0]):
            bad.append(f"{' '.join(key)}: spills {got[2]} and {got[3]} bytes, and is run in every decode step")
        elif got[2] > said[2] or got[3] > said[3] or got[1] > said[1]:
            bad.append(f"{' '.join(key)}: stack {got[1]}, spills {got[2]} and {got[3]} bytes, "
                       f"the report says {said[1]}, {said[2]} and {said[3]}")
    for line in bad:
        print(line)
    if bad:
        sys.exit(f"{len(bad)} kernels differ: mend them, or look at each and run "
                 f"scripts/lib/cuda_registers.py {sys.argv[1]} {sys.argv[2]} --write")
    spilling = sorted({f"{key[0]} {key[1]}" for key, row in rows.items() if row[2] or row[3]})
    print(f"{len(rows)} kernels, {len(spilling)} with spills that the report admits")
    for line in spilling:
        print("  " + line)


if __name__ == "__main__":
    main()
