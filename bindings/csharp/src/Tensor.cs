using System;
using System.Runtime.InteropServices;
using Graft.Raw;

namespace Graft {

/// <summary>Reads a tensor's elements where they are.</summary>
/// <typeparam name="T">What an element is.</typeparam>
/// <typeparam name="TResult">What is made of them.</typeparam>
/// <param name="elements">All elements, row-major; not copied, valid for the length of the call.</param>
/// <returns>Anything; Tensor.Read hands it on.</returns>
public delegate TResult TensorReader<T, TResult>(ReadOnlySpan<T> elements) where T : struct;

/// <summary>
/// Typed, shaped bytes. A tensor never changes, and any thread may use it. It stays valid until it is disposed or
/// collected, whatever happens to the engine or request it came from. After Dispose every member but Dispose throws
/// ObjectDisposedException.
/// </summary>
public sealed class Tensor : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Tensor);

  internal Tensor() {}

  /// <summary>Makes a tensor from bytes, row-major without gaps, which are copied.</summary>
  /// <param name="dtype">What an element is.</param>
  /// <param name="shape">Sizes, each at least 0; none for a scalar; at most eight.</param>
  /// <param name="data">Exactly the bytes that dtype and shape need.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument: dtype, shape, or a size that does not fit them.</exception>
  public static Tensor Create(DType dtype, ReadOnlySpan<long> shape, ReadOnlySpan<byte> data) {
    var tensor = new Tensor();
    graft_raw.graft_tensor_new((int)dtype, shape, data, tensor.Handle);
    tensor.Handle.Weigh(data.Length);
    return tensor;
  }

  /// <summary>Makes a float32 tensor; the values are copied.</summary>
  /// <param name="values">As many as the shape needs.</param>
  /// <param name="shape">Sizes, each at least 0.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument: a size that does not fit the shape.</exception>
  public static Tensor FromFloats(ReadOnlySpan<float> values, params long[] shape) =>
    Create(DType.Float32, shape, MemoryMarshal.AsBytes(values));

  /// <summary>What an element is.</summary>
  public DType DType => (DType)graft_raw.graft_tensor_dtype(Handle);

  /// <summary>The sizes; a copy.</summary>
  public long[] Shape => graft_raw.graft_tensor_shape(Handle);

  /// <summary>Number of bytes.</summary>
  public long ByteSize => graft_raw.graft_tensor_byte_size(Handle);

  /// <summary>Where the bytes are: "cpu" in this release.</summary>
  public string Device => graft_raw.graft_tensor_device(Handle);

  /// <summary>
  /// Reads the elements where they are, without a copy. The tensor cannot be freed meanwhile, even if another thread
  /// disposes it; the span, being one, cannot be kept beyond the call.
  /// </summary>
  /// <typeparam name="T">float, double, long, int, sbyte, as the dtype says; ushort for the 16-bit types; bool for Boolean; byte for any.</typeparam>
  /// <typeparam name="TResult">What the reader returns.</typeparam>
  /// <param name="reader">Called once, on this thread. What it throws comes out of here.</param>
  /// <returns>What the reader returned.</returns>
  /// <exception cref="GraftException">InvalidArgument: elements are not T. LimitExceeded: more than a span can hold.</exception>
  public unsafe TResult Read<T, TResult>(TensorReader<T, TResult> reader) where T : struct {
    if (reader == null) throw new ArgumentNullException(nameof(reader));
    using (new Handle.Hold(Handle)) {
      var bytes = graft_raw.graft_tensor_data(Handle);
      long count = bytes.Size / SizeOf<T>();
      if (count > int.MaxValue) {
        throw new GraftException(Status.LimitExceeded, "the tensor has " + count + " elements, a span holds " + int.MaxValue);
      }
      return reader(new ReadOnlySpan<T>(bytes.Data, (int)count));
    }
  }

  /// <summary>The elements, copied.</summary>
  /// <typeparam name="T">As for Read.</typeparam>
  /// <returns>A new array, row-major.</returns>
  /// <exception cref="GraftException">As for Read.</exception>
  public T[] ToArray<T>() where T : struct => Read<T, T[]>(elements => elements.ToArray());

  /// <summary>The elements of a float32 tensor, copied.</summary>
  /// <returns>A new array, row-major.</returns>
  /// <exception cref="GraftException">InvalidArgument: the dtype is another.</exception>
  public float[] ToFloats() => ToArray<float>();

  /// <summary>The bytes of any tensor, copied.</summary>
  /// <returns>A new array.</returns>
  public byte[] ToBytes() => ToArray<byte>();

  /// <summary>Releases the tensor. Any thread, any number of times.</summary>
  public void Dispose() => Handle.Dispose();

  private int SizeOf<T>() where T : struct {
    if (typeof(T) == typeof(byte)) return 1;
    var found = DType;
    Type expected;
    int size;
    switch (found) {
      case DType.Float32: expected = typeof(float); size = 4; break;
      case DType.Float64: expected = typeof(double); size = 8; break;
      case DType.Int64: expected = typeof(long); size = 8; break;
      case DType.Int32: expected = typeof(int); size = 4; break;
      case DType.Int8: expected = typeof(sbyte); size = 1; break;
      case DType.BFloat16:
      case DType.Float16: expected = typeof(ushort); size = 2; break;
      case DType.Boolean: expected = typeof(bool); size = 1; break;
      default: expected = typeof(byte); size = 1; break;
    }
    if (typeof(T) == expected) return size;
    throw new GraftException(Status.InvalidArgument, "elements of " + found + " are read as " + expected.Name + " or Byte, not as " + typeof(T).Name);
  }
}

}
