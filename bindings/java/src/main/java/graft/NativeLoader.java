package graft;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

/** Finds and loads the native libraries, once. */
final class NativeLoader {
  static final int ABI = 1;
  private static final String GLUE = "libgraft_java.so";
  private static final String LIBRARY = "libgraft.so.1";
  private static final String CORE = "libgraft_core.so";
  /** The plug-in for GPUs of NVIDIA, where it was built. */
  private static final String CUDA = "libgraft_cuda.so";
  private static boolean loaded;

  private NativeLoader() {}

  /**
   * Loads the glue, and with it libgraft.so.1, which must lie beside it: from the directory of the property
   * graft.library.path; else from the jar; else as the loader of the system finds it.
   */
  static synchronized void load() {
    if (loaded) return;
    String directory = System.getProperty("graft.library.path");
    try {
      if (directory != null) {
        fromDirectory(Path.of(directory).toAbsolutePath());
      } else if (resource(GLUE) != null) {
        System.load(extract(GLUE, LIBRARY, CORE, CUDA).resolve(GLUE).toString());
      } else {
        System.loadLibrary("graft_java");
      }
    } catch (NoSuchFileException e) {
      throw failure(directory, new IOException(e.getFile() + " does not exist", e));
    } catch (UnsatisfiedLinkError | IOException e) {
      throw failure(directory, e);
    }
    int abi = RawJNI.graft_abi_version();
    if (abi != ABI) throw new UnsatisfiedLinkError("Graft: " + LIBRARY + " has ABI " + abi + ", these classes need ABI " + ABI);
    loaded = true;
  }

  private static void fromDirectory(Path directory) throws IOException {
    Path glue = directory.resolve(GLUE);
    // A directory without the glue is a library of the user's own under the glue of the jar.
    if (!Files.exists(glue) && resource(GLUE) == null) throw new IOException(glue + " does not exist");
    // First, and where it really is: it looks for its core beside itself. The glue asks for it by name and finds it loaded.
    System.load(directory.resolve(LIBRARY).toRealPath().toString());
    System.load((Files.exists(glue) ? glue : extract(GLUE).resolve(GLUE)).toString());
  }

  private static String folder() {
    String architecture = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return "/native/" + system + "-" + (architecture.equals("amd64") ? "x86_64" : architecture) + "/";
  }

  private static java.net.URL resource(String name) {
    return NativeLoader.class.getResource(folder() + name);
  }

  /** Into a directory that only this user may enter; what cannot be removed at the end stays until /tmp is cleared. */
  private static Path extract(String... names) throws IOException {
    Path directory = Files.createTempDirectory("graft-");
    directory.toFile().deleteOnExit();
    for (String name : names) {
      Path file = directory.resolve(name);
      file.toFile().deleteOnExit();
      try (InputStream in = NativeLoader.class.getResourceAsStream(folder() + name)) {
        if (in == null && name.equals(CUDA)) continue;
        if (in == null) throw new IOException("the jar has " + GLUE + " but no " + name);
        Files.copy(in, file);
      }
    }
    return directory;
  }

  private static UnsatisfiedLinkError failure(String directory, Throwable cause) {
    String where = directory != null ? "in " + directory + " (graft.library.path)"
        : resource(GLUE) != null ? "from the jar"
        : "in java.library.path (" + System.getProperty("java.library.path") + ")";
    UnsatisfiedLinkError error = new UnsatisfiedLinkError("Graft: the native libraries could not be loaded " + where + ": "
        + cause.getMessage() + ". Needed: " + GLUE + ", " + LIBRARY + " and " + CORE + " beside each other; use the jar that"
        + " holds them (linux-x86_64), or set -Dgraft.library.path=DIRECTORY. They need glibc and libstdc++ of Debian 12"
        + " or later.");
    error.initCause(cause);
    return error;
  }
}
