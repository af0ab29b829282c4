using System;
using System.Runtime.InteropServices;

namespace Graft.Raw {

/// <summary>The native functions that SWIG does not write (native/graft_csharp.c), and the check of what was loaded.</summary>
internal static unsafe class ByHand {
  private const string Library = "graft_csharp";
  private static volatile bool loaded;

  [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
  internal delegate int ProgressCallback(IntPtr user, double fraction, IntPtr what);

  [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
  internal delegate void LogCallback(IntPtr user, int level, IntPtr message);

  [DllImport(Library)] internal static extern void graft_csharp_free(IntPtr memory);
  [DllImport(Library)] internal static extern void graft_csharp_string_free(IntPtr text);
  [DllImport(Library)] internal static extern void graft_csharp_event_read(IntPtr source, out NativeEvent read);
  [DllImport(Library)] internal static extern Result graft_csharp_set_progress(IntPtr options, ProgressCallback callback);
  [DllImport(Library)] internal static extern Result graft_csharp_log_set_callback(LogCallback callback);

  /// <summary>Loads the libraries if that has not happened, and refuses one of another ABI.</summary>
  internal static void EnsureLoaded() {
    if (loaded) return;
    int found;
    try {
      found = graft_rawPINVOKE.graft_abi_version();
    } catch (DllNotFoundException e) {
      throw new GraftException(Status.NotFound, "libgraft_csharp.so, or the libgraft.so.1 that it needs beside it, cannot be " +
        "loaded; both belong beside Graft.dll or on the loader's search path: " + e.Message);
    } catch (EntryPointNotFoundException e) {
      throw new GraftException(Status.VersionMismatch, "libgraft_csharp.so is not the one of this assembly: " + e.Message);
    }
    if (found != graft_raw.GRAFT_ABI_VERSION) {
      throw new GraftException(Status.VersionMismatch,
        "libgraft.so has ABI version " + found + ", this assembly is for " + graft_raw.GRAFT_ABI_VERSION);
    }
    loaded = true;
  }
}

}
