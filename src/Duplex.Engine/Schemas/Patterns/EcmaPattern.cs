using System.Buffers;
using System.Text.RegularExpressions;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>
/// A pattern of ECMA-262. It matches in time linear in the text where it has no lookaround or back reference; otherwise
/// it gives up after a while, and with it the evaluation.
/// </summary>
internal sealed class EcmaPattern
{
    private const int CharactersMax = 20_000;
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(2);

    private readonly Regex _regex;
    private readonly AsciiSequence? _sequence;

    private EcmaPattern(string source, Regex regex)
    {
        Source = source;
        _regex = regex;
        _sequence = AsciiSequence.TryRead(source);
    }

    /// <summary>The pattern as the schema has it.</summary>
    public string Source { get; }

    /// <summary>Compiles a pattern; null with the reason when it cannot be.</summary>
    public static EcmaPattern? TryCompile(string source, out string problem)
    {
        problem = "";
        try
        {
            if (source.Length > CharactersMax)
                throw new FormatException($"it is longer than {CharactersMax} characters");
            var translated = EcmaTranslator.Translate(source);
            return new EcmaPattern(source, Build(translated));
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            problem = e is FormatException ? e.Message : "it is too large or its parts do not fit together";
            return null;
        }
    }

    /// <summary>Whether some part of the text between a JSON string's quotes matches.</summary>
    public bool IsMatch(ReadOnlySpan<byte> raw, ref Run run)
    {
        if (_sequence is not null && !raw.Contains((byte)'\\'))
            return _sequence.IsMatch(raw);
        return IsMatchOfRegex(raw, ref run);
    }

    private bool IsMatchOfRegex(ReadOnlySpan<byte> raw, ref Run run)
    {
        Span<char> buffer = stackalloc char[128];
        var text = StringText.Chars(raw, buffer, out var rented);
        try
        {
            if (text.Length <= buffer.Length && _regex.Options.HasFlag(RegexOptions.NonBacktracking))
                return _regex.IsMatch(text);
            var started = TimeProvider.System.GetTimestamp();
            var isMatch = _regex.IsMatch(text);
            return run.Spend(TimeProvider.System.GetElapsedTime(started)) && isMatch;
        }
        catch (RegexMatchTimeoutException)
        {
            return run.GiveUp($"the pattern {PythonText.Of(Source)} takes more than {TimeMax.TotalSeconds} s");
        }
        finally
        {
            if (rented is not null)
                ArrayPool<char>.Shared.Return(rented);
        }
    }

    private static Regex Build(EcmaTranslator translated)
    {
        const RegexOptions usual = RegexOptions.CultureInvariant;
        if (!translated.GoesBack)
        {
            try
            {
                return new Regex(translated.Output, usual | RegexOptions.NonBacktracking, TimeMax);
            }
            catch (NotSupportedException)
            {
                // Its automaton would be too large: the matcher that goes back takes it, under the same limit of time.
            }
        }

        return new Regex(translated.Output, usual, TimeMax);
    }
}
