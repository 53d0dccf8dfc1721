namespace Duplex.Storage.Embedded.Sqlite;

/// <summary>SQLite refused something. Never leaves this assembly; <see cref="StorageFault"/> says what it
/// means.</summary>
/// <param name="code">The extended result code.</param>
/// <param name="errno">The operating system's error number, 0 if there was none.</param>
/// <param name="message">SQLite's own words.</param>
internal sealed class SqliteException(int code, int errno, string message)
    : Exception($"SQLite error {code}: {message}")
{
    /// <summary>The extended result code.</summary>
    public int ExtendedCode { get; } = code;

    /// <summary>The primary result code.</summary>
    public int Code => ExtendedCode & 0xFF;

    /// <summary>The operating system's error number.</summary>
    public int SystemError { get; } = errno;
}
