namespace Duplex.Simulators.Stripe.Store;

/// <summary>Makes ids that look like Stripe's; unique while the 2^64 sequence lasts, equal for equal seeds.</summary>
internal sealed class IdSource(int seed)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private readonly ulong salt = Mix((ulong)seed + 0x9E3779B97F4A7C15);
    private long issued;

    /// <summary>How many ids have been issued; a restart sets it so that none is issued twice.</summary>
    public long Issued
    {
        get => Interlocked.Read(ref issued);
        set => Interlocked.Exchange(ref issued, value);
    }

    public string Next(string prefix, int length)
    {
        var number = (ulong)Interlocked.Increment(ref issued);
        var low = Mix(number ^ salt);
        var high = Mix(low ^ number);
        return string.Create(prefix.Length + length, (prefix, low, high), static (span, state) =>
        {
            state.prefix.CopyTo(span);
            var (_, first, second) = state;
            for (var i = state.prefix.Length; i < span.Length; i++)
            {
                // The first eleven symbols carry all 64 bits of a bijection of the number, so ids never collide.
                span[i] = Alphabet[(int)(first % 62)];
                first = first >= 62 ? first / 62 : second;
            }
        });
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
