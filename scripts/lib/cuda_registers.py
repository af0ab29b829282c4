#!/usr/bin/env python3
"""What became of the kernels that a build compiled: registers, shared memory, stack and spills as ptxas reported them, and
how wide the hot ones read and write memory (cuda_sass.py), in a second table, accesses.tsv beside REPORT.
Hot is every kernel of a step, but for those of arguments that no fast one takes (COLD). They may not spill at all, nor read
or write in narrower pieces than the committed report says; others spill no more than it admits.

cuda_registers.py BUILD            prints both tables, sorted by file, kernel, architecture
cuda_registers.py BUILD REPORT     compares them with the committed ones; exit 1 when a kernel spills more than it says, a
                                   hot one spills or moves memory in narrower pieces, or the two name different kernels
cuda_registers.py BUILD REPORT --write
"""
import pathlib
import re
import shutil
import subprocess
import sys

import cuda_sass

COLD = re.compile(r"^((expert_)?linear_general|convert_weights|quantize_groups)_")
KEY = "file\tkernel\tarchitecture"
REGISTERS = KEY + "\tregisters\tstack_bytes\tspill_stores\tspill_loads\tshared_bytes"
ACCESSES = "\t".join([KEY, *(f"{kind}_{width}" for kind, width in cuda_sass.COLUMNS)])
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


def named(found):
    """Rows by (file, kernel, architecture), from those by mangled names."""
    names = readable(sorted({key[1] for key in found}))
    rows = {(file, names[name], arch): row for (file, name, arch), row in found.items()}
    if len(rows) != len(found):
        sys.exit("cuda_registers: two kernels of a file have one name; give them names of their own")
    return rows


def reported(build):
    """What ptxas said: {(file, kernel, mangled; architecture): (registers, stack, spill stores, spill loads, shared)} of the
    sources that exist."""
    reports = sorted(pathlib.Path(build).glob("CMakeFiles/graft_cuda.dir/kernels/cuda/*.cu.o.ptxas"))
    source = cuda_sass.ROOT / "kernels/cuda"
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
    if not found:
        sys.exit(f"{build}: no reports of ptxas: has libgraft_cuda.so been built there?")
    return found


def measured(build):
    """Rows of both tables. Machine code has functions besides kernels too, which are left out."""
    found = reported(build)
    hot = sorted({key[0] for key in found if not COLD.match(key[0])})
    accesses = cuda_sass.accesses(build, hot)
    kernels = [key for key in found if key[0] in hot]
    if missing := [key for key in kernels if key not in accesses]:
        sys.exit(f"cuda_registers: no machine code of {' '.join(missing[0])}")
    return named(found), named({key: accesses[key] for key in kernels})


def written(header, rows):
    lines = ["\t".join((*key, *map(str, row))) for key, row in sorted(rows.items())]
    return "\n".join([header, *lines]) + "\n"


def read(path, header):
    lines = pathlib.Path(path).read_text().splitlines()
    if lines[0] != header:
        sys.exit(f"{path}: other columns than these: {header.expandtabs(1)}")
    cells = [line.split("\t") for line in lines[1:]]
    return {tuple(row[:3]): tuple(int(n) for n in row[3:]) for row in cells}


def spills(key, got, said):
    """What is wrong with a kernel's row of registers, in words, or None."""
    if (got[2] or got[3]) and not COLD.match(key[0]):
        return f"spills {got[2]} and {got[3]} bytes, and is run in steps"
    if got[2] > said[2] or got[3] > said[3] or got[1] > said[1]:
        return (f"stack {got[1]}, spills {got[2]} and {got[3]} bytes, the report says {said[1]}, {said[2]} and {said[3]}")
    return None


def differences(rows, expected, wrong):
    """Lines about kernels that are in one table alone, and those of which `wrong` says something."""
    bad = [f"{' '.join(key)}: not in the report" for key in sorted(rows.keys() - expected.keys())]
    bad += [f"{' '.join(key)}: in the report, but not built" for key in sorted(expected.keys() - rows.keys())]
    for key in sorted(rows.keys() & expected.keys()):
        if words := wrong(key, rows[key], expected[key]):
            bad.append(f"{' '.join(key)}: {words}")
    return bad


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    registers, accesses = measured(sys.argv[1])
    if len(sys.argv) == 2:
        print(written(REGISTERS, registers) + "\n" + written(ACCESSES, accesses), end="")
        return
    report = pathlib.Path(sys.argv[2])
    beside = report.with_name("accesses.tsv")
    if "--write" in sys.argv:
        report.write_text(written(REGISTERS, registers))
        beside.write_text(written(ACCESSES, accesses))
        return
    bad = differences(registers, read(report, REGISTERS), spills)
    bad += differences(accesses, read(beside, ACCESSES), lambda _, got, said: cuda_sass.narrower(got, said))
    for line in bad:
        print(line)
    if bad:
        sys.exit(f"{len(bad)} kernels differ: mend them, or look at each and run "
                 f"scripts/lib/cuda_registers.py {sys.argv[1]} {sys.argv[2]} --write")
    spilling = sorted({f"{key[0]} {key[1]}" for key, row in registers.items() if row[2] or row[3]})
    print(f"{len(registers)} kernels, {len(spilling)} with spills that the report admits; "
          f"{len(accesses)} hot ones, none of which moves memory in narrower pieces")
    for line in spilling:
        print("  " + line)


if __name__ == "__main__":
    main()
