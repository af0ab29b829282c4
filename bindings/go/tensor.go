package graft

import (
	"encoding/binary"
	"math"
	"unsafe"

	"graft.example/graft/internal/raw"
)

// DType is the type of a tensor's elements.
type DType int32

// The types of elements.
const (
	Float32  DType = raw.DTypeFloat32
	BFloat16 DType = raw.DTypeBFloat16
	Float16  DType = raw.DTypeFloat16
	Int8     DType = raw.DTypeInt8
	Int4     DType = raw.DTypeInt4 // two to a byte, the earlier one in the low half
	Int32    DType = raw.DTypeInt32
	Int64    DType = raw.DTypeInt64
	UInt8    DType = raw.DTypeUInt8
	Boolean  DType = raw.DTypeBoolean // one byte each, 0 or 1
	Float64  DType = raw.DTypeFloat64
)

// Tensor is typed, shaped bytes, row-major without gaps. It never changes, and stays valid until Close, whatever happens
// to the engine or request that it came from.
type Tensor struct{ h handle }

// NewTensor makes a tensor from bytes, which are copied. ErrInvalidArgument: a type or shape that cannot be, or another
// number of bytes than they need.
func NewTensor(dtype DType, shape []int64, data []byte) (*Tensor, error) {
	return newTensor(func(out *raw.Handle) error { return raw.Graft_tensor_new(int32(dtype), shape, data, out) })
}

// NewFloat32Tensor makes a tensor from numbers, which are copied. Errors as for NewTensor.
func NewFloat32Tensor(shape []int64, values []float32) (*Tensor, error) {
	return NewTensor(Float32, shape, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*4))
}

func newTensor(call func(*raw.Handle) error) (*Tensor, error) {
	t := &Tensor{}
	if err := t.h.made(call, raw.Graft_tensor_free); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Tensor) handle() *handle {
	if t == nil {
		return nil
	}
	return &t.h
}

// DType gives the type of the elements; 0 after Close.
func (t *Tensor) DType() DType {
	p, err := t.handle().use()
	if err != nil {
		return 0
	}
	defer t.h.done()
	return DType(raw.Graft_tensor_dtype(p))
}

// Shape gives the sizes of the dimensions, none for a scalar and after Close.
func (t *Tensor) Shape() []int64 {
	p, err := t.handle().use()
	if err != nil {
		return nil
	}
	defer t.h.done()
	return raw.Graft_tensor_shape(p)
}

// Device says where the bytes are: "cpu" in this release; "" after Close.
func (t *Tensor) Device() string {
	p, err := t.handle().use()
	if err != nil {
		return ""
	}
	defer t.h.done()
	return raw.Graft_tensor_device(p)
}

// View hands f the bytes where they are, without a copy. They may neither be written to nor kept after f has returned.
// The error is f's, or ErrClosed.
func (t *Tensor) View(f func(data []byte) error) error {
	p, err := t.handle().use()
	if err != nil {
		return err
	}
	defer t.h.done()
	return f(raw.Graft_tensor_data(p))
}

// ViewFloat32 hands f the numbers of a float32 tensor where they are, without a copy. They may neither be written to nor
// kept after f has returned. The error is f's, ErrClosed, or ErrInvalidArgument for a tensor of another type.
func (t *Tensor) ViewFloat32(f func(values []float32) error) error {
	if found := t.DType(); found != Float32 && found != 0 {
		return invalid("a tensor of float32 was expected, found type %d", found)
	}
	return t.View(func(data []byte) error {
		return f(unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/4))
	})
}

// Bytes gives a copy of the bytes.
func (t *Tensor) Bytes() (data []byte, err error) {
	err = t.View(func(view []byte) error {
		data = append([]byte{}, view...)
		return nil
	})
	return data, err
}

// Float32s gives the elements as float32, copied: those of float32, bfloat16, float16 and float64 tensors.
// ErrInvalidArgument for another type.
func (t *Tensor) Float32s() (values []float32, err error) {
	dtype := t.DType()
	err = t.View(func(data []byte) error {
		var size int
		var read func([]byte) float32
		little := binary.LittleEndian
		switch dtype {
		case Float32:
			values = append([]float32{}, unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/4)...)
			return nil
		case BFloat16:
			size, read = 2, func(b []byte) float32 { return math.Float32frombits(uint32(little.Uint16(b)) << 16) }
		case Float16:
			size, read = 2, func(b []byte) float32 { return fromHalf(little.Uint16(b)) }
		case Float64:
			size, read = 8, func(b []byte) float32 { return float32(math.Float64frombits(little.Uint64(b))) }
		default:
			return invalid("a tensor of a floating type was expected, found type %d", dtype)
		}
		values = make([]float32, len(data)/size)
		for i := range values {
			values[i] = read(data[i*size:])
		}
		return nil
	})
	return values, err
}

// fromHalf widens an IEEE 754 binary16.
func fromHalf(bits uint16) float32 {
	sign, exponent, fraction := uint32(bits>>15)<<31, uint32(bits>>10)&31, uint32(bits)&1023
	switch exponent {
	case 0: // zero and subnormal: fraction units of 2^-24
		value := math.Float32bits(float32(fraction) / (1 << 24))
		return math.Float32frombits(sign | value)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// Close releases the tensor.
func (t *Tensor) Close() error { return t.handle().close() }
