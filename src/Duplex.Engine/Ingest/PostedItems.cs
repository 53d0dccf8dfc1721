using System.Buffers;

namespace Duplex.Engine.Ingest;

/// <summary>How several events lie in one body.</summary>
public enum BatchForm
{
    /// <summary>As the first character says: a JSON array, or one event a line.</summary>
    Unknown,

    /// <summary>A JSON array.</summary>
    Array,

    /// <summary>One event a line.</summary>
    Lines,
}

/// <summary>
/// Cuts a body into its items while it comes, with no more in memory than one item and what came with it. Where items
/// begin and end is found here; whether an item is JSON is for who reads it.
/// </summary>
internal sealed class PostedItems(Stream body, BatchForm form, int itemBytesMax, long bytesMax) : IDisposable
{
    private const int ReadBytes = 64 * 1024;
    private static readonly SearchValues<byte> Structural = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> ScalarEnd = SearchValues.Create(",]} \t\r\n"u8);
    private static readonly SearchValues<byte> StringEnd = SearchValues.Create("\"\\"u8);

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
    private BatchForm _form = form;
    private Place _place = form == BatchForm.Array ? Place.Outside : Place.BeforeFirst;
    private int _at;
    private int _end;
    private int _start;
    private int _depth;
    private bool _isText;
    private bool _isScalar;
    private bool _isOver;
    private long _read;

    private enum Place
    {
        Outside,
        BeforeFirst,
        BeforeItem,
        Within,
        AfterItem,
        Behind,
    }

    /// <summary>The item's bytes, until the next call. Empty if it is too large.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>Whether the item is larger than one may be; it was passed over.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>Whether the items are those of a JSON array.</summary>
    public bool IsArray => _form == BatchForm.Array;

    /// <summary>Whether the whole body is larger than it may be.</summary>
    public bool IsBodyTooLarge { get; private set; }

    /// <summary>Why there are no more items although the body has not ended well; null if it has.</summary>
    public string? Malformed { get; private set; }

    /// <summary>Goes to the next item; false if there is none.</summary>
    public async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        IsTooLarge = false;
        while (true)
        {
            if (Scan())
            {
                return true;
            }

            if (Malformed is not null)
            {
                return false;
            }

            Compact();
            var got = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (got == 0)
            {
                return Finish();
            }

            _end += got;
            _read += got;
            if (_read > bytesMax)
            {
                IsBodyTooLarge = true;
                return false;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool Scan()
    {
        if (_form == BatchForm.Unknown && !Recognize())
        {
            return false;
        }

        return _form == BatchForm.Lines ? ScanLine() : ScanArray();
    }

    private bool Recognize()
    {
        SkipSpace();
        if (_at == _end)
        {
            return false;
        }

        (_form, _place) = _buffer[_at] == '[' ? (BatchForm.Array, Place.Outside) : (BatchForm.Lines, Place.BeforeItem);
        _start = _at;
        return true;
    }

    private bool ScanLine()
    {
        while (_at < _end)
        {
            var length = _buffer.AsSpan(_at.._end).IndexOf((byte)'\n');
            var end = length < 0 ? _end : _at + length;
            _at = end;
            if (length < 0)
            {
                PassOver();
                return false;
            }

            _at++;
            if (TakeLine(end))
            {
                return true;
            }
        }

        return false;
    }

    private bool TakeLine(int end)
    {
        var line = _buffer.AsMemory(_start..end).Trim(" \t\r"u8);
        _start = _at;
        return (line.Length > 0 || _isOver) && Take(line);
    }

    private bool ScanArray()
    {
        while (_place != Place.Within || !ScanItem())
        {
            if (_place == Place.Within)
            {
                PassOver();
                return false;
            }

            SkipSpace();
            if (_at == _end || !Step(_buffer[_at]))
            {
                return false;
            }
        }

        var item = _buffer.AsMemory(_start.._at);
        _place = Place.AfterItem;
        return Take(item);
    }

    private bool Step(byte octet)
    {
        switch (_place)
        {
            case Place.Outside when octet == '[':
                (_place, _at) = (Place.BeforeFirst, _at + 1);
                return true;
            case Place.BeforeFirst or Place.AfterItem when octet == ']':
                (_place, _at) = (Place.Behind, _at + 1);
                return true;
            case Place.AfterItem when octet == ',':
                (_place, _at) = (Place.BeforeItem, _at + 1);
                return true;
            case Place.BeforeFirst or Place.BeforeItem when octet is not ((byte)',' or (byte)']' or (byte)'}'):
                (_place, _start, _depth, _isText) = (Place.Within, _at, 0, false);
                _isScalar = octet is not ((byte)'{' or (byte)'[' or (byte)'"');
                return true;
            default:
                Malformed = _place switch
                {
                    Place.Outside => "The body must be a JSON array.",
                    Place.Behind => "Something follows the array.",
                    Place.AfterItem => "A comma or the end of the array is missing.",
                    _ => "An item of the array is missing.",
                };
                return false;
        }
    }

    /// <summary>Whether the item ends before what has come.</summary>
    private bool ScanItem()
    {
        while (_at < _end)
        {
            var rest = _buffer.AsSpan(_at.._end);
            var next = rest.IndexOfAny(_isScalar ? ScalarEnd : _isText ? StringEnd : Structural);
            if (next < 0)
            {
                _at = _end;
                return false;
            }

            if (_isScalar)
            {
                _at += next;
                return true;
            }

            if (rest[next] == '\\' && next + 1 == rest.Length)
            {
                // What is escaped has not come yet.
                _at += next;
                return false;
            }

            _at += next + 1;
            if (Pass(rest[next]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Passes a character that matters; whether the item ends with it.</summary>
    private bool Pass(byte octet)
    {
        switch (octet)
        {
            case (byte)'\\':
                _at++;
                return false;
            case (byte)'"':
                _isText = !_isText;
                return !_isText && _depth == 0;
            case (byte)'{' or (byte)'[':
                _depth++;
                return false;
            default:
                return --_depth == 0;
        }
    }

    private bool Take(ReadOnlyMemory<byte> item)
    {
        IsTooLarge = _isOver || item.Length > itemBytesMax;
        Current = IsTooLarge ? default : item;
        _isOver = false;
        return true;
    }

    /// <summary>Forgets what has come of an item that is too large already.</summary>
    private void PassOver()
    {
        if (_at - _start > itemBytesMax || _isOver)
        {
            _isOver = true;
            _start = _at;
        }
    }

    private bool Finish()
    {
        if (_form == BatchForm.Lines)
        {
            _at = _end;
            return TakeLine(_end);
        }

        if (_place != Place.Behind && Malformed is null)
        {
            Malformed = _form == BatchForm.Unknown ? "The body is empty." : "The array does not end.";
        }

        return false;
    }

    private void SkipSpace()
    {
        var next = _buffer.AsSpan(_at.._end).IndexOfAnyExcept(" \t\r\n"u8);
        _at = next < 0 ? _end : _at + next;
    }

    private void Compact()
    {
        var keepFrom = _place == Place.Within || _form == BatchForm.Lines ? _start : _at;
        if (keepFrom > 0)
        {
            _buffer.AsSpan(keepFrom.._end).CopyTo(_buffer);
            _at -= keepFrom;
            _end -= keepFrom;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }
}
