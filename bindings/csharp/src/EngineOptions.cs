using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using Graft.Raw;

namespace Graft {

/// <summary>Told of a load's progress, on the thread that opens the engine.</summary>
/// <param name="fraction">In [0, 1], never falling.</param>
/// <param name="what">What is being done.</param>
/// <returns>true to go on; false cancels the load, and opening then fails with <see cref="Status.Cancelled"/>.</returns>
/// <remarks>What it throws cancels the load too, and comes out of the call that opens.</remarks>
public delegate bool ProgressHandler(double fraction, string what);

/// <summary>This process as one rank of several.</summary>
public sealed class RankOptions {
  /// <summary>This process: 0 to World - 1.</summary>
  public long Rank { get; set; }
  /// <summary>Number of processes, at least 1.</summary>
  public long World { get; set; } = 1;
  /// <summary>Host that rank 0 listens on; may be empty only where World is 1.</summary>
  public string Address { get; set; } = "";
  /// <summary>0 to 65535; 0 only where World is 1.</summary>
  public long Port { get; set; }
  /// <summary>After which a silent rank is an error on all others; zero (default) = one minute.</summary>
  public TimeSpan Timeout { get; set; }
}

/// <summary>
/// How to open a model. A property that is null has the library's default.
/// <code>new EngineOptions { DType = "bfloat16", Threads = 4 }</code>
/// The library checks the values when an engine is opened, or at <see cref="Validate"/>; a wrong one is a GraftException
/// with <see cref="Status.InvalidArgument"/> that names it, and one that this release, model or machine does not offer is
/// Unsupported when opened. Options may serve any number of engines; they hold nothing native. One thread at a time may
/// change them.
/// </summary>
public sealed class EngineOptions {
  /// <summary>"auto" (default: a CUDA device if one is usable, else the CPU), "cpu", "cuda" or "cuda:N".</summary>
  public string Device { get; set; }
  /// <summary>Type of weights and arithmetic: "auto" (default), "float32", "bfloat16", "float16", "int8" or "int4".</summary>
  public string DType { get; set; }
  /// <summary>Bits of quantised weights: 0 (default: none), 4 or 8.</summary>
  public int? QuantizationBits { get; set; }
  /// <summary>Values that share one scale; 0 (default) = the format's own. Looked at together with QuantizationBits.</summary>
  public long? QuantizationGroupSize { get; set; }
  /// <summary>Over how many ranks each layer is split; 1 (default) or more.</summary>
  public long? TensorParallel { get; set; }
  /// <summary>Over how many ranks the experts are shared out; must divide TensorParallel.</summary>
  public long? ExpertParallel { get; set; }
  /// <summary>Makes this process one rank of several, instead of all ranks living here.</summary>
  public RankOptions Rank { get; set; }
  /// <summary>"kernel" (default: fused layers), "auto" (only split over ranks) or "none" (the plain model).</summary>
  public string Injection { get; set; }
  /// <summary>Records the step once and replays it (default), or runs it each time.</summary>
  public bool? Graph { get; set; }
  /// <summary>Kernel threads of the engine; 0 (default) = one per core.</summary>
  public long? Threads { get; set; }
  /// <summary>Longest sequence, prompt and answer together, in tokens; 0 (default) = the model's own limit.</summary>
  public long? ContextLimit { get; set; }
  /// <summary>Sequences worked on at the same time; 0 (default) = the engine chooses.</summary>
  public long? MaxSequences { get; set; }
  /// <summary>Requests that may wait; one more is refused with Busy. 0 (default) = the engine chooses.</summary>
  public long? MaxQueue { get; set; }
  /// <summary>
  /// How far a GPU may run ahead of the host, in time of its work: up to a minute, 10 ms by default. Then the host spends
  /// less on each token, but hears of tokens, and the GPU of a new request, up to so much later. Zero = of each token at
  /// once.
  /// </summary>
  public TimeSpan? RunAhead { get; set; }
  /// <summary>Bytes of memory on each device that the engine may use; 0 (default) = no limit of its own.</summary>
  public long? MemoryLimit { get; set; }
  /// <summary>Mapped or copied weights.</summary>
  public Weights? Weights { get; set; }
  /// <summary>Directory to look for LibTorch in before all others. Only the first engine or tokenizer of a process loads it.</summary>
  public string LibraryDirectory { get; set; }
  /// <summary>Told of the load's progress.</summary>
  public ProgressHandler Progress { get; set; }
  /// <summary>What Graft does not know by itself about a model; asked in this order, before what it knows.</summary>
  public IList<Policy> Policies { get; } = new List<Policy>();
  /// <summary>
  /// Many options as a JSON object whose keys are the library's names ({"dtype": "bfloat16"}) or those of a
  /// DeepSpeed-Inference configuration; set first, so that properties have the last word.
  /// </summary>
  public string Json { get; set; }

  /// <summary>Has the library check every value.</summary>
  /// <exception cref="GraftException">InvalidArgument, naming the option.</exception>
  public void Validate() => Call(made => true);

  /// <summary>Makes native options for the length of one call. What Progress throws comes out of here.</summary>
  internal TResult Call<TResult>(Func<Handle, TResult> call) {
    using (var made = new Handle(Handle.Kind.EngineOptions)) {
      graft_raw.graft_engine_options_new(made);
      Set(made);
      ExceptionDispatchInfo thrown = null;
      ByHand.ProgressCallback callback = null;
      if (Progress != null) {
        var handler = Progress;
        callback = (user, fraction, what) => {
          try {
            return handler(fraction, Utf8.Text(what)) ? 0 : 1;
          } catch (Exception e) {  // may not cross native frames; kept, and thrown below
            thrown = ExceptionDispatchInfo.Capture(e);
            return 1;
          }
        };
        using (var hold = new Handle.Hold(made)) ByHand.graft_csharp_set_progress(hold.Pointer, callback).Check();
      }
      try {
        var result = call(made);
        if (thrown != null) thrown.Throw();  // thrown too late to cancel anything
        return result;
      } catch (GraftException) {
        if (thrown != null) thrown.Throw();
        throw;
      } finally {
        GC.KeepAlive(callback);
      }
    }
  }

  private void Set(Handle made) {
    if (Json != null) graft_raw.graft_engine_options_set_json(made, Json);
    if (Device != null) graft_raw.graft_engine_options_set_device(made, Device);
    if (DType != null) graft_raw.graft_engine_options_set_dtype(made, DType);
    if (QuantizationBits.HasValue || QuantizationGroupSize.HasValue) {
      graft_raw.graft_engine_options_set_quantization(made, QuantizationBits ?? 0, QuantizationGroupSize ?? 0);
    }
    if (TensorParallel.HasValue) graft_raw.graft_engine_options_set_tensor_parallel(made, TensorParallel.Value);
    if (ExpertParallel.HasValue) graft_raw.graft_engine_options_set_expert_parallel(made, ExpertParallel.Value);
    if (Rank != null) {
      graft_raw.graft_engine_options_set_rank(made, Rank.Rank, Rank.World, Rank.Address, Rank.Port,
                                              (long)Math.Ceiling(Rank.Timeout.TotalMilliseconds));
    }
    if (Injection != null) graft_raw.graft_engine_options_set_injection(made, Injection);
    if (Graph.HasValue) graft_raw.graft_engine_options_set_graph(made, Graph.Value ? 1 : 0);
    if (Threads.HasValue) graft_raw.graft_engine_options_set_threads(made, Threads.Value);
    if (ContextLimit.HasValue) graft_raw.graft_engine_options_set_context_limit(made, ContextLimit.Value);
    if (MaxSequences.HasValue) graft_raw.graft_engine_options_set_max_sequences(made, MaxSequences.Value);
    if (MaxQueue.HasValue) graft_raw.graft_engine_options_set_max_queue(made, MaxQueue.Value);
    if (RunAhead.HasValue) graft_raw.graft_engine_options_set_run_ahead_ms(made, (long)Math.Ceiling(RunAhead.Value.TotalMilliseconds));
    if (MemoryLimit.HasValue) graft_raw.graft_engine_options_set_memory_limit(made, MemoryLimit.Value);
    if (Weights.HasValue) graft_raw.graft_engine_options_set_weights(made, (int)Weights.Value);
    if (LibraryDirectory != null) graft_raw.graft_engine_options_set_library_directory(made, LibraryDirectory);
    foreach (var policy in Policies) {
      if (policy == null) throw new ArgumentNullException("Policies");
      graft_raw.graft_engine_options_add_policy(made, policy.Handle);
    }
  }
}

}
