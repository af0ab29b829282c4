package graft;

import java.nio.ByteBuffer;

/** Java's half of native/views.c. */
final class Views {
  private Views() {}

  /** A direct buffer over some bytes of a tensor, which the tensor has. */
  static native ByteBuffer of(long tensor, long offset, int size);
}
