using System.Text;
using System.Text.Json;

namespace Duplex.Sdk;

/// <summary>One pass over an envelope's members; nested images are sliced, not parsed.</summary>
internal ref struct EnvelopeReader(ReadOnlyMemory<byte> envelope)
{
    private Utf8JsonReader _reader = new(envelope.Span);
    private ChangeOperation _operation;
    private Record? _before;
    private Record? _after;
    private List<string>? _unchanged;
    private RecordKey _previousKey;
    private string? _origin;
    private string? _id;
    private string? _version;
    private bool _isVersionNumber;
    private Record? _keyFields;
    private string _stream = "";
    private string _position = "";
    private long _micros;

    public Change Read(RecordKey key)
    {
        Expect(JsonTokenType.StartObject);
        while (Next() == JsonTokenType.PropertyName)
        {
            Member();
        }

        return new Change
        {
            Operation = _operation,
            Stream = _stream,
            Key = key,
            PreviousKey = _previousKey,
            Before = _before,
            After = _after,
            Unchanged = _unchanged ?? (IReadOnlyList<string>)[],
            SourceMicros = _micros,
            Position = _position,
            Origin = _origin,
            Id = _id,
            Version = _version,
            IsVersionNumber = _isVersionNumber,
            KeyFields = _keyFields,
        };
    }

    private void Member()
    {
        if (_reader.ValueTextEquals("op"u8))
        {
            Next();
            _operation = Operation();
        }
        else if (_reader.ValueTextEquals("before"u8))
        {
            _before = Image();
        }
        else if (_reader.ValueTextEquals("after"u8))
        {
            _after = Image();
        }
        else if (_reader.ValueTextEquals("unchanged"u8))
        {
            ReadUnchanged();
        }
        else if (_reader.ValueTextEquals("prev_key"u8))
        {
            _previousKey = RecordKey.FromUtf8(Slice().Span);
        }
        else if (_reader.ValueTextEquals("origin"u8))
        {
            Next();
            _origin = _reader.GetString();
        }
        else if (_reader.ValueTextEquals("id"u8))
        {
            Next();
            _id = _reader.GetString();
        }
        else if (_reader.ValueTextEquals("version"u8))
        {
            Next();
            _isVersionNumber = _reader.TokenType == JsonTokenType.Number;
            _version = _isVersionNumber ? Encoding.ASCII.GetString(_reader.ValueSpan) : _reader.GetString();
        }
        else if (_reader.ValueTextEquals("key_fields"u8))
        {
            _keyFields = Image();
        }
        else if (_reader.ValueTextEquals("source"u8))
        {
            ReadSource();
        }
        else
        {
            Next();
            _reader.Skip();
        }
    }

    private void ReadSource()
    {
        Expect(JsonTokenType.StartObject);
        while (Next() == JsonTokenType.PropertyName)
        {
            if (_reader.ValueTextEquals("stream"u8))
            {
                Next();
                _stream = _reader.GetString() ?? "";
            }
            else if (_reader.ValueTextEquals("pos"u8))
            {
                Next();
                _position = _reader.GetString() ?? "";
            }
            else if (_reader.ValueTextEquals("ts_us"u8))
            {
                Next();
                _micros = _reader.GetInt64();
            }
            else
            {
                Next();
                _reader.Skip();
            }
        }
    }

    private readonly ChangeOperation Operation() => _reader.ValueSpan switch
    {
        [(byte)'r'] => ChangeOperation.Read,
        [(byte)'c'] => ChangeOperation.Create,
        [(byte)'u'] => ChangeOperation.Update,
        [(byte)'d'] => ChangeOperation.Delete,
        [(byte)'t'] => ChangeOperation.Truncate,
        _ => throw new JsonException("unknown op"),
    };

    private Record? Image()
    {
        var slice = Slice();
        return slice.Span is [(byte)'n', ..] ? null : new Record(slice);
    }

    private ReadOnlyMemory<byte> Slice()
    {
        Next();
        var start = (int)_reader.TokenStartIndex;
        _reader.Skip();
        return envelope[start..(int)_reader.BytesConsumed];
    }

    private void ReadUnchanged()
    {
        Expect(JsonTokenType.StartArray);
        _unchanged = [];
        while (Next() == JsonTokenType.String)
        {
            _unchanged.Add(_reader.GetString()!);
        }
    }

    private JsonTokenType Next() =>
        _reader.Read() ? _reader.TokenType : throw new JsonException("the envelope ends early");

    private void Expect(JsonTokenType type)
    {
        if (Next() != type)
        {
            throw new JsonException($"expected {type}");
        }
    }
}
