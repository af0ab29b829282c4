package raw

// #include <graft/graft.h>
import "C"

// The numbers of the headers, as constants.
const (
	StatusOK               = C.GRAFT_STATUS_OK
	StatusInvalidArgument  = C.GRAFT_STATUS_INVALID_ARGUMENT
	StatusInvalidState     = C.GRAFT_STATUS_INVALID_STATE
	StatusNotFound         = C.GRAFT_STATUS_NOT_FOUND
	StatusUnsupported      = C.GRAFT_STATUS_UNSUPPORTED
	StatusLimitExceeded    = C.GRAFT_STATUS_LIMIT_EXCEEDED
	StatusBusy             = C.GRAFT_STATUS_BUSY
	StatusOutOfMemory      = C.GRAFT_STATUS_OUT_OF_MEMORY
	StatusDeviceError      = C.GRAFT_STATUS_DEVICE_ERROR
	StatusCommError        = C.GRAFT_STATUS_COMM_ERROR
	StatusIOError          = C.GRAFT_STATUS_IO_ERROR
	StatusCorruptData      = C.GRAFT_STATUS_CORRUPT_DATA
	StatusBufferTooSmall   = C.GRAFT_STATUS_BUFFER_TOO_SMALL
	StatusCancelled        = C.GRAFT_STATUS_CANCELLED
	StatusTimeout          = C.GRAFT_STATUS_TIMEOUT
	StatusDeadlineExceeded = C.GRAFT_STATUS_DEADLINE_EXCEEDED
	StatusClosed           = C.GRAFT_STATUS_CLOSED
	StatusVersionMismatch  = C.GRAFT_STATUS_VERSION_MISMATCH
	StatusEnd              = C.GRAFT_STATUS_END
	StatusInternal         = C.GRAFT_STATUS_INTERNAL

	LogOff     = C.GRAFT_LOG_OFF
	LogError   = C.GRAFT_LOG_ERROR
	LogWarning = C.GRAFT_LOG_WARNING
	LogInfo    = C.GRAFT_LOG_INFO
	LogDebug   = C.GRAFT_LOG_DEBUG

	WeightsMap  = C.GRAFT_WEIGHTS_MAP
	WeightsRead = C.GRAFT_WEIGHTS_READ

	DTypeFloat32  = C.GRAFT_DTYPE_FLOAT32
	DTypeBFloat16 = C.GRAFT_DTYPE_BFLOAT16
	DTypeFloat16  = C.GRAFT_DTYPE_FLOAT16
	DTypeInt8     = C.GRAFT_DTYPE_INT8
	DTypeInt4     = C.GRAFT_DTYPE_INT4
	DTypeInt32    = C.GRAFT_DTYPE_INT32
	DTypeInt64    = C.GRAFT_DTYPE_INT64
	DTypeUInt8    = C.GRAFT_DTYPE_UINT8
	DTypeBoolean  = C.GRAFT_DTYPE_BOOLEAN
	DTypeFloat64  = C.GRAFT_DTYPE_FLOAT64

	EventNone     = C.GRAFT_EVENT_NONE
	EventToken    = C.GRAFT_EVENT_TOKEN
	EventText     = C.GRAFT_EVENT_TEXT
	EventProgress = C.GRAFT_EVENT_PROGRESS
	EventFinished = C.GRAFT_EVENT_FINISHED
	EventError    = C.GRAFT_EVENT_ERROR

	FinishNone      = C.GRAFT_FINISH_NONE
	FinishStop      = C.GRAFT_FINISH_STOP
	FinishLength    = C.GRAFT_FINISH_LENGTH
	FinishCancelled = C.GRAFT_FINISH_CANCELLED
	FinishDeadline  = C.GRAFT_FINISH_DEADLINE
	FinishError     = C.GRAFT_FINISH_ERROR

	UsagePromptTokens     = C.GRAFT_USAGE_PROMPT_TOKENS
	UsageCompletionTokens = C.GRAFT_USAGE_COMPLETION_TOKENS
	UsageCachedTokens     = C.GRAFT_USAGE_CACHED_TOKENS

	RequestGenerate = C.GRAFT_REQUEST_GENERATE
	RequestLogits   = C.GRAFT_REQUEST_LOGITS
	RequestEmbed    = C.GRAFT_REQUEST_EMBED
	RequestHidden   = C.GRAFT_REQUEST_HIDDEN

	PoolingModel = C.GRAFT_POOLING_MODEL
	PoolingMean  = C.GRAFT_POOLING_MEAN
	PoolingCLS   = C.GRAFT_POOLING_CLS
	PoolingLast  = C.GRAFT_POOLING_LAST
	PoolingNone  = C.GRAFT_POOLING_NONE
)
