using System.Globalization;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Values;

/// <summary>Values as JSON text, as <c>$string</c> makes it.</summary>
internal static class JsonText
{
    private const int IndentSpaces = 2;

    public static string Of(in Value value, bool indented, EvaluationRun run)
    {
        if (value.Kind == ValueKind.String)
            return value.Text;
        if (value.Kind == ValueKind.Function)
            return "";
        if (value.Kind == ValueKind.Number)
        {
            if (!double.IsFinite(value.Number))
                throw Errors.Of("D3001");
            return NumberFormat.Shown(value);
        }
        if (value.Kind is ValueKind.Boolean or ValueKind.Null)
            return value.Kind == ValueKind.Null ? "null" : value.IsTrue ? "true" : "false";
        var text = new StringBuilder();
        Append(text, value.Unwrapped, indented, 0, run);
        return text.ToString();
    }

    private static void Append(StringBuilder text, in Value value, bool indented, int depth, EvaluationRun run)
    {
        run.GuardStack();
        run.Step();
        int start = text.Length;
        switch (value.Kind)
        {
            case ValueKind.Number:
                text.Append(double.IsFinite(value.Number) ? NumberFormat.Shown(value) : throw Errors.OutOfRange(value.Number));
                break;
            case ValueKind.String:
                AppendQuoted(text, value.Text);
                break;
            case ValueKind.Boolean:
                text.Append(value.IsTrue ? "true" : "false");
                break;
            case ValueKind.Array:
                AppendArray(text, value.Array, indented, depth, run);
                return;
            case ValueKind.Object:
                AppendObject(text, value.Object, indented, depth, run);
                return;
            case ValueKind.Function:
                text.Append("\"\"");
                break;
            default:
                text.Append("null");
                break;
        }
        run.Charge(2L * (text.Length - start));
    }

    private static void AppendArray(StringBuilder text, ArrayValue array, bool indented, int depth, EvaluationRun run)
    {
        text.Append('[');
        for (int i = 0; i < array.Count; i++)
        {
            if (i > 0)
                text.Append(',');
            NewLine(text, indented, depth + 1, run);
            Append(text, array[i], indented, depth + 1, run);
        }
        if (array.Count > 0)
            NewLine(text, indented, depth, run);
        text.Append(']');
    }

    private static void AppendObject(StringBuilder text, ObjectValue value, bool indented, int depth, EvaluationRun run)
    {
        text.Append('{');
        bool first = true;
        foreach (var (name, member) in value.Members)
        {
            if (member.IsUndefined)
                continue;
            if (!first)
                text.Append(',');
            first = false;
            NewLine(text, indented, depth + 1, run);
            AppendQuoted(text, name);
            text.Append(indented ? ": " : ":");
            run.Charge(2L * name.Length);
            Append(text, member, indented, depth + 1, run);
        }
        if (!first)
            NewLine(text, indented, depth, run);
        text.Append('}');
    }

    private static void NewLine(StringBuilder text, bool indented, int depth, EvaluationRun run)
    {
        if (!indented)
            return;
        run.Charge(2L * IndentSpaces * depth);
        text.Append('\n').Append(' ', IndentSpaces * depth);
    }

    public static void AppendQuoted(StringBuilder text, string value)
    {
        text.Append('"');
        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case < ' ':
                    AppendEscape(text, c);
                    break;
                default:
                    if (!char.IsSurrogate(c))
                        text.Append(c);
                    else if (i + 1 < value.Length && char.IsSurrogatePair(c, value[i + 1]))
                        text.Append(c).Append(value[++i]);
                    else
                        AppendEscape(text, c);
                    break;
            }
        }
        text.Append('"');
    }

    private static void AppendEscape(StringBuilder text, char c) =>
        text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
}

/// <summary>Writes results: what comes from the input with the text that it has there.</summary>
internal static class JsonOutput
{
    public static void Write(Utf8JsonWriter writer, in Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Number:
                writer.WriteRawValue(value.NumberText ?? NumberFormat.Shortest(value.Number), skipInputValidation: true);
                break;
            case ValueKind.String:
                WriteString(writer, value.Text);
                break;
            case ValueKind.Boolean:
                writer.WriteBooleanValue(value.IsTrue);
                break;
            case ValueKind.Array:
                WriteArray(writer, value.Array);
                break;
            case ValueKind.Object:
                WriteObject(writer, value.Object);
                break;
            case ValueKind.Function:
                writer.WriteStringValue("");
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static void WriteArray(Utf8JsonWriter writer, ArrayValue array)
    {
        if (array is ElementArray input)
        {
            WriteElement(writer, input.Element);
            return;
        }
        writer.WriteStartArray();
        for (int i = 0; i < array.Count; i++)
            Write(writer, array[i]);
        writer.WriteEndArray();
    }

    private static void WriteObject(Utf8JsonWriter writer, ObjectValue value)
    {
        if (value.IsElement)
        {
            WriteElement(writer, value.Element);
            return;
        }
        writer.WriteStartObject();
        foreach (var (name, member) in value.Members)
        {
            if (member.IsUndefined)
                continue;
            if (IsWellFormed(name))
                writer.WritePropertyName(name);
            else
                // A name with half a surrogate pair cannot be written as text that is UTF-8.
                writer.WritePropertyName(name.ToWellFormed());
            Write(writer, member);
        }
        writer.WriteEndObject();
    }

    private static void WriteElement(Utf8JsonWriter writer, JsonElement element)
    {
        if (ElementText.HasEscapedSurrogate(element))
            writer.WriteRawValue(element.GetRawText(), skipInputValidation: true);
        else
            element.WriteTo(writer);
    }

    private static void WriteString(Utf8JsonWriter writer, string text)
    {
        if (IsWellFormed(text))
        {
            writer.WriteStringValue(text);
            return;
        }
        var escaped = new StringBuilder();
        JsonText.AppendQuoted(escaped, text);
        writer.WriteRawValue(escaped.ToString(), skipInputValidation: true);
    }

    private static bool IsWellFormed(string text)
    {
        int at = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        for (; at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at]))
                continue;
            if (at + 1 >= text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
                return false;
            at++;
        }
        return true;
    }

    private static string ToWellFormed(this string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
