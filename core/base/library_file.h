// Whether a library's file is whole, asked before the dynamic loader maps it: the loader follows the headers of a file
// that was cut off beyond its end, and the process dies of that.
#pragma once

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace graft {

/// What the file lacks of what its headers promise, in words; empty where it is whole, and for all that the loader
/// refuses with words of its own: no file, no library, another machine's. Any thread.
inline std::string library_file_problem(const std::string& path) {
  static_assert(sizeof(void*) == 8, "reads 64-bit ELF");
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  struct stat status {};
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  uint64_t bytes = 0, promised = 0;
  if (fstat(file, &status) == 0 && pread(file, &header, sizeof header, 0) == ssize_t{sizeof header} &&
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_phentsize == sizeof(Elf64_Phdr)) {
    bytes = static_cast<uint64_t>(status.st_size);
    const size_t table = size_t{header.e_phnum} * sizeof(Elf64_Phdr);
    segments.resize(header.e_phnum);
    if (__builtin_add_overflow(header.e_phoff, table, &promised)) promised = UINT64_MAX;
    if (promised <= bytes &&
        pread(file, segments.data(), table, static_cast<off_t>(header.e_phoff)) == static_cast<ssize_t>(table)) {
      for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type != PT_LOAD) continue;
        uint64_t end = 0;
        if (__builtin_add_overflow(segment.p_offset, segment.p_filesz, &end)) end = UINT64_MAX;
        promised = std::max(promised, end);
      }
    }
  }
  close(file);
  if (promised <= bytes) return "";
  return "file too short: it has " + std::to_string(bytes) + " bytes, its headers promise " + std::to_string(promised);
}

}  // namespace graft
