#if NET8_0_OR_GREATER
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Graft {

// Compiled by the .NET SDK alone (Graft.csproj): netstandard2.0 has no IAsyncEnumerable of its own.
public sealed partial class Request : IAsyncEnumerable<Event> {
  /// <summary>The events that are still to come, to the end; waiting is done on the thread pool.</summary>
  /// <param name="cancellationToken">Cancels the request, and the loop with it.</param>
  /// <returns>As for the synchronous enumerator.</returns>
  public async IAsyncEnumerator<Event> GetAsyncEnumerator(CancellationToken cancellationToken = default) {
    using (cancellationToken.Register(CancelQuietly)) {
      while (true) {
        cancellationToken.ThrowIfCancellationRequested();
        var next = await Task.Run(Next).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (next == null) yield break;
        next.ThrowIfError();
        yield return next;
      }
    }
  }
}

}
#endif
