using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Duplex.Connectors.Stripe.Requests;

/// <summary>
/// Stripe's form encoding: <c>a[b]=1</c> for members, <c>a[0]=1</c> for elements, an empty value to unset, <c>true</c>
/// and <c>false</c>, numbers with all their digits.
/// </summary>
internal sealed class FormBody
{
    /// <summary>What stands in a form as it is: RFC 3986's unreserved characters, and in names the brackets.</summary>
    private static readonly SearchValues<byte> InValues =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"u8);
    private static readonly SearchValues<byte> InNames =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~[]"u8);

    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    /// <summary>The encoded body; ASCII.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    /// <summary>The encoded body.</summary>
    public override string ToString() => Encoding.ASCII.GetString(_bytes.WrittenSpan);

    /// <summary>Adds a member.</summary>
    public FormBody Add(string name, string value)
    {
        if (_bytes.WrittenCount > 0)
        {
            _bytes.Write("&"u8);
        }

        Append(name, InNames);
        _bytes.Write("="u8);
        Append(value, InValues);
        return this;
    }

    /// <summary>The body that creates an object: a null or empty member is one that the object does not get.</summary>
    /// <exception cref="FormatException">A member cannot be carried by a form; the message names it.</exception>
    public static FormBody ForCreate(JsonElement fields) => Of(fields, unset: false);

    /// <summary>The body that changes the named members: null unsets.</summary>
    /// <exception cref="FormatException">A member cannot be carried by a form; the message names it.</exception>
    public static FormBody ForUpdate(JsonElement fields) => Of(fields, unset: true);

    private static FormBody Of(JsonElement fields, bool unset)
    {
        var body = new FormBody();
        foreach (var member in fields.EnumerateObject())
        {
            body.AddValue(Checked(member.Name, ""), member.Value, unset);
        }

        return body;
    }

    private void AddValue(string name, JsonElement value, bool unset)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    AddValue($"{name}[{Checked(member.Name, name)}]", member.Value, unset);
                }

                break;
            case JsonValueKind.Array:
                AddElements(name, value, unset);
                break;
            case JsonValueKind.Null or JsonValueKind.Undefined:
                if (unset)
                {
                    Add(name, "");
                }

                break;
            case JsonValueKind.String:
                AddText(name, value, unset);
                break;
            case JsonValueKind.Number:
                Add(name, Plain(value.GetRawText()));
                break;
            default:
                Add(name, value.ValueKind == JsonValueKind.True ? "true" : "false");
                break;
        }
    }

    private void AddElements(string name, JsonElement list, bool unset)
    {
        if (list.GetArrayLength() == 0 && unset)
        {
            Add(name, "");
        }

        var index = 0;
        foreach (var element in list.EnumerateArray())
        {
            AddValue($"{name}[{index.ToString(CultureInfo.InvariantCulture)}]", element, unset);
            index++;
        }
    }

    private void AddText(string name, JsonElement value, bool unset)
    {
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"{name} is not text that can be sent: {e.Message}", e);
        }

        // Stripe knows no empty text: on an existing object the empty value unsets, on a new one there is nothing to
        // unset.
        if (text.Length > 0 || unset)
        {
            Add(name, text);
        }
    }

    /// <summary>Brackets structure a form's names, so a name that holds one would be read as another name.</summary>
    private static string Checked(string name, string parent) =>
        name.Length > 0 && !name.AsSpan().ContainsAny('[', ']')
            ? name
            : throw new FormatException(
                $"{(parent.Length == 0 ? "a field" : parent)} has the member '{name}', and Stripe takes no name that is empty or has brackets.");

    /// <summary>Stripe reads digits, no exponents.</summary>
    private static string Plain(string number) =>
        number.AsSpan().ContainsAny('e', 'E')
        && decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value.ToString("0.############################", CultureInfo.InvariantCulture)
            : number;

    private void Append(string text, SearchValues<byte> plain)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var rented = ArrayPool<byte>.Shared.Rent(most);
        ReadOnlySpan<byte> rest = rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented));
        while (rest.IndexOfAnyExcept(plain) is var at and >= 0)
        {
            _bytes.Write(rest[..at]);
            var escape = _bytes.GetSpan(3);
            escape[0] = (byte)'%';
            Convert.TryToHexString(rest.Slice(at, 1), escape[1..], out _);
            _bytes.Advance(3);
            rest = rest[(at + 1)..];
        }

        _bytes.Write(rest);
        ArrayPool<byte>.Shared.Return(rented);
    }
}
