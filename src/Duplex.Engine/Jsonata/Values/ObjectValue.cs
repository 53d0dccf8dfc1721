using System.Text;
using System.Text.Json;

namespace Duplex.Engine.Jsonata.Values;

/// <summary>An object; its members keep the order in which they came. One of the input is read when more than single
/// members of it are asked for.</summary>
internal sealed class ObjectValue
{
    private const int ScannedMax = 8;

    private readonly JsonElement _element;
    private List<KeyValuePair<string, Value>>? _members;
    private Dictionary<string, int>? _index;

    public ObjectValue(int capacity = 4) => _members = new(capacity);

    public ObjectValue(JsonElement element) => _element = element;

    /// <summary>True if it is of the input and stands as it stood there.</summary>
    public bool IsElement => _element.ValueKind == JsonValueKind.Object;

    public JsonElement Element => _element;

    public List<KeyValuePair<string, Value>> Members => _members ??= Read();

    public bool IsSame(ObjectValue other) =>
        ReferenceEquals(this, other) || IsElement && other.IsElement && _element.Equals(other._element);

    public bool TryGet(string name, out Value value)
    {
        if (_members is null)
            return TryGetElement(Encoding.UTF8.GetBytes(name), out value);
        int at = Find(name);
        value = at < 0 ? default : _members[at].Value;
        return at >= 0;
    }

    public bool TryGet(string name, byte[] nameUtf8, out Value value) =>
        _members is null ? TryGetElement(nameUtf8, out value) : TryGet(name, out value);

    /// <summary>Adds a member; false if there is one of that name, which then stays.</summary>
    public bool TryAdd(string name, in Value value)
    {
        if (Find(name) >= 0)
            return false;
        Append(name, value);
        return true;
    }

    public void Set(string name, in Value value)
    {
        int at = Find(name);
        if (at < 0)
            Append(name, value);
        else
            Members[at] = new(name, value);
    }

    public void Remove(string name)
    {
        int at = Find(name);
        if (at < 0)
            return;
        Members.RemoveAt(at);
        _index = null;
    }

    private bool TryGetElement(ReadOnlySpan<byte> nameUtf8, out Value value)
    {
        bool found = _element.TryGetProperty(nameUtf8, out var member);
        value = found ? Value.Of(member) : default;
        return found;
    }

    private void Append(string name, in Value value)
    {
        Members.Add(new(name, value));
        _index?.Add(name, Members.Count - 1);
    }

    private int Find(string name)
    {
        var members = Members;
        if (members.Count > ScannedMax)
            return Index().TryGetValue(name, out int found) ? found : -1;
        for (int i = 0; i < members.Count; i++)
        {
            if (members[i].Key == name)
                return i;
        }
        return -1;
    }

    private Dictionary<string, int> Index()
    {
        if (_index is not null)
            return _index;
        var index = new Dictionary<string, int>(Members.Count, StringComparer.Ordinal);
        for (int i = 0; i < Members.Count; i++)
            index.Add(Members[i].Key, i);
        return _index = index;
    }

    /// <summary>Of members of one name the last counts, at the place of the first.</summary>
    private List<KeyValuePair<string, Value>> Read()
    {
        var members = new List<KeyValuePair<string, Value>>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var property in _element.EnumerateObject())
        {
            string name = ElementText.DecodeName(property);
            if (places.TryGetValue(name, out int place))
                members[place] = new(name, Value.Of(property.Value));
            else
            {
                places.Add(name, members.Count);
                members.Add(new(name, Value.Of(property.Value)));
            }
        }
        return members;
    }
}
