package graft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorTest {
  @Test
  void numbersComeBack() {
    try (Tensor tensor = Tensor.of(new float[] {1, -2.5f, 3, 4, 5, 6}, 2, 3)) {
      assertEquals(DType.FLOAT32, tensor.dtype());
      assertArrayEquals(new long[] {2, 3}, tensor.shape());
      assertEquals(24, tensor.byteSize());
      assertEquals("cpu", tensor.device());
      assertEquals(-2.5f, tensor.floats().get(1));
      assertArrayEquals(new float[] {1, -2.5f, 3, 4, 5, 6}, tensor.toFloatArray());
      assertTrue(tensor.floats().isReadOnly() && tensor.data().isReadOnly() && tensor.data().isDirect());
      assertThrows(IllegalStateException.class, tensor::longs);
      assertThrows(IndexOutOfBoundsException.class, () -> tensor.data(20, 5));
      assertThrows(IndexOutOfBoundsException.class, () -> tensor.data(-1, 5));
      assertThrows(IndexOutOfBoundsException.class, () -> tensor.data(Long.MAX_VALUE, 5));
      assertEquals(8, tensor.data(16, 8).remaining());
    }
    try (Tensor tensor = Tensor.of(new long[] {Long.MIN_VALUE, 7}, 2)) {
      assertArrayEquals(new long[] {Long.MIN_VALUE, 7}, tensor.toLongArray());
    }
    ByteBuffer heap = ByteBuffer.wrap(new byte[] {9, 1, 2, 3, 9}).position(1).limit(4);
    try (Tensor tensor = Tensor.of(DType.UINT8, new long[] {3}, heap)) {
      assertEquals(ByteBuffer.wrap(new byte[] {1, 2, 3}), tensor.data());
      assertEquals(1, heap.position());
    }
    try (Tensor scalar = Tensor.of(DType.FLOAT64, new long[] {}, ByteBuffer.allocateDirect(8))) {
      assertEquals(0, scalar.shape().length);
      assertEquals(0.0, scalar.doubles().get(0));
    }
    try (Tensor empty = Tensor.of(new float[] {}, 0, 3)) {
      assertEquals(0, empty.floats().remaining());
    }
  }

  @Test
  void wrongSizesAreRefused() {
    assertThrows(GraftException.class, () -> Tensor.of(new float[5], 2, 3));
    assertThrows(GraftException.class, () -> Tensor.of(new float[5], -5));
    assertThrows(GraftException.class, () -> Tensor.of(77, new long[] {1}, ByteBuffer.allocate(4)));
  }

  @Test
  void aViewOutlivesItsTensor() throws Exception {
    FloatBuffer view;
    try (Request request = Model.ENGINE.submit(new Input().tokens(635, 382),
        RequestOptions.builder().kind(RequestKind.LOGITS).build())) {
      request.await(null);
      try (Tensor tensor = request.tensor("logits")) {
        assertArrayEquals(new long[] {2, 896}, tensor.shape());
        view = tensor.floats().slice(896, 896);
      }
    }
    float[] before = new float[896];
    view.get(0, before);
    for (int i = 0; i < 5; ++i) {
      List<Tensor> others = new ArrayList<>();
      for (int j = 0; j < 50; ++j) others.add(Tensor.of(new float[2 * 896], 2, 896));
      others.forEach(Tensor::close);
      System.gc();
      Thread.sleep(20);
    }
    float[] after = new float[896];
    view.get(0, after);
    assertArrayEquals(before, after);
  }

  /** Memory is released when the views are gone: a thousand views of 1 MB do not add up. */
  @Test
  void viewsThatAreCollectedRelease() throws Exception {
    long before = residentMegabytes();
    for (int i = 0; i < 1000; ++i) {
      try (Tensor tensor = Tensor.of(new float[1 << 18], 1 << 18)) {
        assertEquals(0f, tensor.floats().get(i));
      }
      if (i % 50 == 0) System.gc();
    }
    assertTrue(Model.collectUntil(() -> residentMegabytes() < before + 500), "from " + before + " to " + residentMegabytes());
  }


  static long residentMegabytes() {
    try {
      String[] fields = java.nio.file.Files.readString(java.nio.file.Path.of("/proc/self/statm")).split(" ");
      return Long.parseLong(fields[1]) * 4096 >> 20;
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
