using Graft.Raw;

namespace Graft {

/// <summary>What an event tells.</summary>
public enum EventKind {
  /// <summary>Nothing yet.</summary>
  None = graft_raw.GRAFT_EVENT_NONE,
  /// <summary>One token was chosen; its text, if whole characters became complete with it.</summary>
  Token = graft_raw.GRAFT_EVENT_TOKEN,
  /// <summary>Text alone: characters that were held back.</summary>
  Text = graft_raw.GRAFT_EVENT_TEXT,
  /// <summary>The prompt is being read.</summary>
  Progress = graft_raw.GRAFT_EVENT_PROGRESS,
  /// <summary>One sequence ended.</summary>
  Finished = graft_raw.GRAFT_EVENT_FINISHED,
  /// <summary>The request failed.</summary>
  Error = graft_raw.GRAFT_EVENT_ERROR
}

/// <summary>Why a sequence ended.</summary>
public enum FinishReason {
  /// <summary>It has not.</summary>
  None = graft_raw.GRAFT_FINISH_NONE,
  /// <summary>The model ended its answer, or a stop text or token came.</summary>
  Stop = graft_raw.GRAFT_FINISH_STOP,
  /// <summary>The most tokens were reached, or the context is full.</summary>
  Length = graft_raw.GRAFT_FINISH_LENGTH,
  /// <summary>The request was cancelled or the engine shut down.</summary>
  Cancelled = graft_raw.GRAFT_FINISH_CANCELLED,
  /// <summary>Its deadline passed.</summary>
  Deadline = graft_raw.GRAFT_FINISH_DEADLINE,
  /// <summary>It failed.</summary>
  Error = graft_raw.GRAFT_FINISH_ERROR
}

/// <summary>How waiting for an event ended.</summary>
public enum Poll {
  /// <summary>There is an event.</summary>
  Event = graft_raw.GRAFT_STATUS_OK,
  /// <summary>Nothing yet: the time passed, or the queue was woken.</summary>
  Timeout = graft_raw.GRAFT_STATUS_TIMEOUT,
  /// <summary>Nothing more will come.</summary>
  End = graft_raw.GRAFT_STATUS_END
}

/// <summary>What a request yields.</summary>
public enum RequestKind {
  /// <summary>Tokens and text, one event after another.</summary>
  Generate = graft_raw.GRAFT_REQUEST_GENERATE,
  /// <summary>The tensor "logits", float32 [tokens, vocabulary or labels].</summary>
  Logits = graft_raw.GRAFT_REQUEST_LOGITS,
  /// <summary>The tensor "embedding", float32 [hidden].</summary>
  Embed = graft_raw.GRAFT_REQUEST_EMBED,
  /// <summary>The tensor "hidden", float32 [tokens, hidden].</summary>
  Hidden = graft_raw.GRAFT_REQUEST_HIDDEN
}

/// <summary>How an embedding is made of the hidden rows.</summary>
public enum Pooling {
  /// <summary>As the model's files say, else as its class does.</summary>
  Model = graft_raw.GRAFT_POOLING_MODEL,
  /// <summary>The mean of the rows.</summary>
  Mean = graft_raw.GRAFT_POOLING_MEAN,
  /// <summary>The first row.</summary>
  Cls = graft_raw.GRAFT_POOLING_CLS,
  /// <summary>The last row.</summary>
  Last = graft_raw.GRAFT_POOLING_LAST,
  /// <summary>All rows: [tokens, hidden].</summary>
  None = graft_raw.GRAFT_POOLING_NONE
}

/// <summary>How weight files are read.</summary>
public enum Weights {
  /// <summary>Mapped; a file that is shortened meanwhile can end the process.</summary>
  Map = graft_raw.GRAFT_WEIGHTS_MAP,
  /// <summary>Copied into memory at load; safe whatever happens to the file.</summary>
  Read = graft_raw.GRAFT_WEIGHTS_READ
}

/// <summary>Element types of tensors.</summary>
public enum DType {
  /// <summary>IEEE single precision: float.</summary>
  Float32 = graft_raw.GRAFT_DTYPE_FLOAT32,
  /// <summary>The upper half of a float.</summary>
  BFloat16 = graft_raw.GRAFT_DTYPE_BFLOAT16,
  /// <summary>IEEE half precision.</summary>
  Float16 = graft_raw.GRAFT_DTYPE_FLOAT16,
  /// <summary>sbyte.</summary>
  Int8 = graft_raw.GRAFT_DTYPE_INT8,
  /// <summary>Two to a byte, the earlier one in the low half.</summary>
  Int4 = graft_raw.GRAFT_DTYPE_INT4,
  /// <summary>int.</summary>
  Int32 = graft_raw.GRAFT_DTYPE_INT32,
  /// <summary>long.</summary>
  Int64 = graft_raw.GRAFT_DTYPE_INT64,
  /// <summary>byte.</summary>
  UInt8 = graft_raw.GRAFT_DTYPE_UINT8,
  /// <summary>One byte each, 0 or 1.</summary>
  Boolean = graft_raw.GRAFT_DTYPE_BOOLEAN,
  /// <summary>IEEE double precision: double.</summary>
  Float64 = graft_raw.GRAFT_DTYPE_FLOAT64
}

/// <summary>How grave a log line is.</summary>
public enum LogLevel {
  /// <summary>Nothing is let through.</summary>
  Off = graft_raw.GRAFT_LOG_OFF,
  /// <summary>Something failed.</summary>
  Error = graft_raw.GRAFT_LOG_ERROR,
  /// <summary>The level that is let through at first.</summary>
  Warning = graft_raw.GRAFT_LOG_WARNING,
  /// <summary>What happens.</summary>
  Info = graft_raw.GRAFT_LOG_INFO,
  /// <summary>Every detail.</summary>
  Debug = graft_raw.GRAFT_LOG_DEBUG
}

}
