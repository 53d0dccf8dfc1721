using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// The logical messages that Duplex writes into the log, all under one prefix: origin marks of the sink, watermarks of
/// a snapshot, heartbeats.
/// </summary>
internal static class Watermark
{
    /// <summary>The prefix of every message.</summary>
    public const string Prefix = "duplex";

    /// <summary>The text of the mark before a chunk is read (<c>lo</c>) or behind it (<c>hi</c>).</summary>
    /// <param name="run">Identifies this run, so that marks of an earlier one that are told again mean nothing.</param>
    /// <param name="chunk">The chunk's number.</param>
    /// <param name="isHigh">Whether it stands behind.</param>
    public static string Text(string run, long chunk, bool isHigh) =>
        string.Create(CultureInfo.InvariantCulture, $"wm:{run}:{(isHigh ? "hi" : "lo")}:{chunk}");

    /// <summary>Reads a mark of this run.</summary>
    public static bool TryRead(ReadOnlySpan<byte> content, string run, out long chunk, out bool isHigh)
    {
        chunk = 0;
        isHigh = false;
        var start = Encoding.ASCII.GetBytes($"wm:{run}:");
        if (!content.StartsWith(start) || content.Length < start.Length + 4)
        {
            return false;
        }

        isHigh = content[start.Length] == (byte)'h';
        return Utf8Parser.TryParse(content[(start.Length + 3)..], out chunk, out _);
    }

    /// <summary>Whether the content is an origin mark.</summary>
    public static bool IsOrigin(ReadOnlySpan<byte> content) =>
        content.StartsWith(Encoding.ASCII.GetBytes(OriginMarks.Prefix));
}
