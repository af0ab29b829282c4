"""How wide kernels read and write memory, counted in the machine code of a build's object files (cuobjdump -sass).

Counted are instructions, once each, whatever loop they stand in: loads (LDG; LD, where the compiler cannot tell that it is
global memory), copies to shared memory (LDGSTS, which is cp.async; bulk ones, which TMA makes), stores (STG, ST). Of local
memory there is nothing here: those are spills, which ptxas reports.
"""
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

WIDTHS = (128, 64, 32, 16, 8)  # bits for each thread
COLUMNS = ([("load", width) for width in WIDTHS] + [("copy", "bulk")] + [("copy", width) for width in WIDTHS[:3]] +
           [("store", width) for width in WIDTHS])
KINDS = {"LDG": "load", "LD": "load", "LDGSTS": "copy", "UTMALDG": "copy", "UBLKCP": "copy", "STG": "store", "ST": "store"}
SEEN = re.compile(r"arch = (?P<arch>sm_\w+)|Function : (?P<function>\S+)|"
                  rf"\s(?P<name>{'|'.join(sorted(KINDS, key=len, reverse=True))})(?P<modifiers>\.[A-Z0-9_.]+)? ")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def tools(build):
    """The folder that has cuobjdump and nvdisasm: beside the build's nvcc, in the wheels (none of nvcc's has them, but torch
    brings Triton, which does), or on PATH."""
    cache = (pathlib.Path(build) / "CMakeCache.txt").read_text()
    nvcc = re.search(r"^CMAKE_CUDA_COMPILER:\w+=(.+)$", cache, re.MULTILINE)
    folders = [pathlib.Path(nvcc[1]).parent] if nvcc else []
    folders += sorted(ROOT.glob(".venv/lib/python3*/site-packages/triton/backends/nvidia/bin"))
    found = shutil.which("cuobjdump")
    folders += [pathlib.Path(found).parent] if found else []
    for folder in folders:
        if all((folder / tool).exists() for tool in ("cuobjdump", "nvdisasm")):
            return folder
    sys.exit("cuda_sass: no cuobjdump and nvdisasm beside nvcc, in .venv or on PATH: "
             "run scripts/test --only 87-cuda once (it installs wheels that have them)")


def width_of(modifiers):
    """Bits that one thread moves, from an instruction's modifiers."""
    for modifier in modifiers.split("."):
        if modifier in ("64", "128", "256"):
            return int(modifier)
        if re.fullmatch("[US](8|16)", modifier):
            return int(modifier[1:])
    return 32


def accesses_of(tools_folder, object_file):
    """{(kernel, mangled; architecture): {(kind, width): instructions}} of one object file."""
    environment = {**os.environ, "PATH": f"{tools_folder}:{os.environ['PATH']}"}  # cuobjdump calls nvdisasm
    text = subprocess.run([tools_folder / "cuobjdump", "-sass", object_file], env=environment, capture_output=True,
                          text=True, check=True).stdout
    found, arch, counts = {}, None, None
    for match in SEEN.finditer(text):
        if match["arch"]:
            arch = match["arch"]
        elif match["function"]:
            counts = found[match["function"], arch] = collections.Counter()
        else:
            bulk = match["name"] in ("UTMALDG", "UBLKCP")
            key = (KINDS[match["name"]], "bulk" if bulk else width_of(match["modifiers"] or ""))
            if key not in COLUMNS:
                sys.exit(f"cuda_sass: {match[0].strip()} in {object_file}, for which there is no column")
            counts[key] += 1
    return found


def accesses(build, files):
    """{(file, kernel, mangled; architecture): counts in the order of COLUMNS} of these sources."""
    folder = tools(build)
    objects = {file: pathlib.Path(build) / f"CMakeFiles/graft_cuda.dir/kernels/cuda/{file}.o" for file in files}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda object_file: accesses_of(folder, object_file), objects.values())
        return {(file, *key): tuple(counts[column] for column in COLUMNS)
                for file, found in zip(objects, results) for key, counts in found.items()}


def narrower(got, said):
    """What has become narrower, in words; None: nothing. Of loads, copies among them, and of stores: the widest there were
    are fewer, and narrower ones more, or there are none any more that are as wide."""
    for kinds, word in ((("load", "copy"), "loads"), (("store",), "stores")):
        by_width = [collections.Counter(), collections.Counter()]
        for counts, total in zip((got, said), by_width):
            for (kind, width), count in zip(COLUMNS, counts):
                total[1 << 20 if width == "bulk" else width] += count if kind in kinds else 0
        now, before = (+total for total in by_width)
        if not before:
            continue
        widest = max(before)
        wide = [sum(n for width, n in total.items() if width >= widest) for total in (now, before)]
        narrow = [sum(n for width, n in total.items() if width < widest) for total in (now, before)]
        if wide[0] < wide[1] and (narrow[0] > narrow[1] or wide[0] == 0):
            name = "bulk" if widest == 1 << 20 else f"{widest} bits"
            return f"{wide[0]} {word} of {name} and {narrow[0]} narrower ones, the report says {wide[1]} and {narrow[1]}"
    return None
