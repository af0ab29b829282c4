package graft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/**
 * A tensor: typed, shaped, contiguous, row-major. It never changes, stays valid whatever happens to the engine or request it
 * came from, and may be used by any number of threads at once.
 *
 * <p>The buffers are views of the tensor's own memory, nothing is copied. A view keeps that memory: it may be read after the
 * tensor was closed, and the memory is released when the tensor is closed and its views are collected.
 */
public final class Tensor implements AutoCloseable {
  final Handle handle;

  Tensor(long pointer) {
    handle = new Handle(this, "tensor", pointer, Raw::graft_tensor_free);
  }

  /**
   * Makes a tensor of bytes.
   *
   * @param type type of the elements
   * @param shape sizes, each at least 0; none for a scalar, at most 8
   * @param data the bytes from position to limit, as many as type and shape need, numbers in the machine's byte order;
   *     copied, and the buffer's position stays
   * @return the tensor
   * @throws GraftException INVALID_ARGUMENT (shape, or a size that does not fit), OUT_OF_MEMORY
   */
  public static Tensor of(DType type, long[] shape, ByteBuffer data) {
    return of(type.code, shape, data);
  }

  /**
   * Makes a tensor of a type by its number, for types that this binding does not know yet.
   *
   * @param type the number that the C ABI gives the type
   * @param shape as in {@link #of(DType, long[], ByteBuffer)}
   * @param data as in {@link #of(DType, long[], ByteBuffer)}
   * @return the tensor
   * @throws GraftException INVALID_ARGUMENT (type, shape, or a size that does not fit), OUT_OF_MEMORY
   */
  public static Tensor of(int type, long[] shape, ByteBuffer data) {
    // A copy of Java's own: the memory of a direct buffer may be somebody else's, who frees it meanwhile.
    return make(type, shape, ByteBuffer.allocateDirect(data.remaining()).put(data.duplicate()).rewind());
  }

  private static Tensor make(int type, long[] shape, ByteBuffer direct) {
    return new Tensor(Raw.graft_tensor_new(type, shape.clone(), direct));
  }

  /**
   * Makes a tensor of floats.
   *
   * @param data the numbers; copied
   * @param shape sizes, whose product is the number of floats
   * @return a tensor of FLOAT32
   * @throws GraftException INVALID_ARGUMENT (a size that does not fit), OUT_OF_MEMORY
   */
  public static Tensor of(float[] data, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.multiplyExact(data.length, Float.BYTES)).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(data);
    return make(DType.FLOAT32.code, shape, bytes);
  }

  /**
   * Makes a tensor of 64-bit integers.
   *
   * @param data the numbers; copied
   * @param shape sizes, whose product is how many there are
   * @return a tensor of INT64
   * @throws GraftException INVALID_ARGUMENT (a size that does not fit), OUT_OF_MEMORY
   */
  public static Tensor of(long[] data, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.multiplyExact(data.length, Long.BYTES)).order(ByteOrder.nativeOrder());
    bytes.asLongBuffer().put(data);
    return make(DType.INT64.code, shape, bytes);
  }

  /**
   * Type of the elements.
   *
   * @return the type
   */
  public DType dtype() {
    return DType.of(handle.number(Raw::graft_tensor_dtype));
  }

  /**
   * The sizes.
   *
   * @return a new array; empty for a scalar
   */
  public long[] shape() {
    return handle.call(Raw::graft_tensor_shape);
  }

  /**
   * Size of the data.
   *
   * @return bytes
   */
  public long byteSize() {
    return handle.number(Raw::graft_tensor_byte_size);
  }

  /**
   * Where the data is.
   *
   * @return "cpu" in this release
   */
  public String device() {
    return Utf8.text(handle.call(Raw::graft_tensor_device));
  }

  /**
   * The bytes where they are.
   *
   * @return a view that cannot be written to, in the machine's byte order
   * @throws GraftException LIMIT_EXCEEDED (more than a buffer can show: take {@link #data(long, int)})
   */
  public ByteBuffer data() {
    long size = byteSize();
    if (size > Integer.MAX_VALUE) {
      throw new GraftException(StatusCode.LIMIT_EXCEEDED, "tensor: " + size + " bytes are more than one buffer can show");
    }
    return data(0, (int) size);
  }

  /**
   * Some of the bytes where they are.
   *
   * @param offset the first byte
   * @param size how many
   * @return a view that cannot be written to, in the machine's byte order
   * @throws IndexOutOfBoundsException when the tensor has no such bytes
   */
  public ByteBuffer data(long offset, int size) {
    long pointer = handle.enter();
    try {
      long all = Raw.graft_tensor_byte_size(pointer);
      if (offset < 0 || size < 0 || offset > all - size) {
        throw new IndexOutOfBoundsException(size + " bytes at " + offset + " of a tensor of " + all);
      }
      if (size == 0) return ByteBuffer.allocateDirect(0).asReadOnlyBuffer().order(ByteOrder.nativeOrder());
      ByteBuffer whole = Views.of(pointer, offset, size);
      // Every buffer made of it refers to it, so it is collected last.
      handle.keepFor(whole);
      return whole.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    } finally {
      handle.leave();
    }
  }

  private ByteBuffer data(DType wanted) {
    DType found = dtype();
    if (found != wanted) throw new IllegalStateException("the tensor is " + found + ", not " + wanted);
    return data();
  }

  /**
   * The numbers where they are.
   *
   * @return a view that cannot be written to
   * @throws IllegalStateException when the tensor is not FLOAT32
   */
  public FloatBuffer floats() {
    return data(DType.FLOAT32).asFloatBuffer();
  }

  /**
   * The numbers where they are.
   *
   * @return a view that cannot be written to
   * @throws IllegalStateException when the tensor is not FLOAT64
   */
  public DoubleBuffer doubles() {
    return data(DType.FLOAT64).asDoubleBuffer();
  }

  /**
   * The numbers where they are.
   *
   * @return a view that cannot be written to
   * @throws IllegalStateException when the tensor is not INT32
   */
  public IntBuffer ints() {
    return data(DType.INT32).asIntBuffer();
  }

  /**
   * The numbers where they are.
   *
   * @return a view that cannot be written to
   * @throws IllegalStateException when the tensor is not INT64
   */
  public LongBuffer longs() {
    return data(DType.INT64).asLongBuffer();
  }

  /**
   * A copy of the numbers.
   *
   * @return row-major
   * @throws IllegalStateException when the tensor is not FLOAT32
   */
  public float[] toFloatArray() {
    FloatBuffer view = floats();
    float[] copy = new float[view.remaining()];
    view.get(copy);
    return copy;
  }

  /**
   * A copy of the numbers.
   *
   * @return row-major
   * @throws IllegalStateException when the tensor is not INT64
   */
  public long[] toLongArray() {
    LongBuffer view = longs();
    long[] copy = new long[view.remaining()];
    view.get(copy);
    return copy;
  }

  /** Releases the tensor; its views stay valid. Never blocks. */
  @Override
  public void close() {
    handle.close();
  }
}
