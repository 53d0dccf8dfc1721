namespace Duplex.Engine.Jsonata;

/// <summary>Why an expression does not compile or could not be evaluated.</summary>
/// <param name="Code">JSONata's stable code, e.g. <c>S0201</c> (syntax), <c>T2001</c> (type), <c>D3030</c> (value);
/// <c>U1001</c> if a limit was exceeded.</param>
/// <param name="Message">What is wrong. May quote values that the expression works on.</param>
/// <param name="Position">Characters (UTF-16) from the start of the expression's text to just behind the token that it
/// is about; null if it is about none.</param>
/// <param name="Token">The operator or function that it is about; null if it is about none.</param>
public sealed record JsonataError(string Code, string Message, int? Position, string? Token = null)
{
    /// <summary>The evaluation was ended for what it uses, not for what it does.</summary>
    public bool IsLimit => Code == JsonataException.LimitCode;
}

/// <summary>Carries an error from where it is found to the edge of the compiler or of an evaluation.</summary>
internal sealed class JsonataException(string code, string message, int? position = null, string? token = null)
    : Exception(message)
{
    public const string LimitCode = "U1001";

    public string Code { get; } = code;

    public int? Position { get; private set; } = position;

    public string? Token { get; private set; } = token;

    public static JsonataException Limit(string message) => new(LimitCode, message);

    /// <summary>Notes where the error arose unless that is known already; false, for use as an exception
    /// filter.</summary>
    public bool Locate(int position, string? token)
    {
        Position ??= position;
        Token ??= token;
        return false;
    }

    public JsonataError ToError() => new(Code, Message, Position, Token);
}
