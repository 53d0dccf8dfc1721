using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas.Keywords;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas;

/// <summary>Gathers the errors of one evaluation, and the place in the instance where it stands.</summary>
internal sealed class Collector(int errorsMax)
{
    private const int ErrorsOfBranchesMax = 2_000;

    private readonly List<string> _path = [];
    private List<SchemaError> _errors = [];
    private int _inBranches;
    private int _total;

    /// <summary>The errors at this level.</summary>
    public IReadOnlyList<SchemaError> Errors => _errors;

    /// <summary>Whether no more are taken.</summary>
    public bool IsFull => _errors.Count >= errorsMax || _total >= ErrorsOfBranchesMax;

    public void Add(Keyword keyword, string message, IReadOnlyList<SchemaError>? context = null) =>
        Add(keyword.Name, keyword.Pointer, message, context);

    public void Add(string keyword, string schemaPointer, string message, IReadOnlyList<SchemaError>? context = null)
    {
        if (IsFull)
            return;
        _total += _inBranches > 0 ? 1 : 0;
        _errors.Add(new SchemaError(Pointer(), keyword, schemaPointer, message) { Context = context ?? [] });
    }

    /// <summary>Says that the evaluation was given up.</summary>
    public void AddFault(string reason)
    {
        _path.Clear();
        _errors.Insert(0, new SchemaError("", "", "", $"The schema cannot be evaluated on this: {reason}"));
    }

    /// <summary>Collects what the schema finds in a member.</summary>
    public void Member(SchemaNode node, JsonProperty member, ref Run run) =>
        At(node, StringText.Unescape(JsonMarshal.GetRawUtf8PropertyName(member)), member.Value, ref run);

    /// <summary>Collects what the schema finds in an item.</summary>
    public void Item(SchemaNode node, int index, JsonElement item, ref Run run) =>
        At(node, index.ToString(CultureInfo.InvariantCulture), item, ref run);

    /// <summary>Collects what a branch finds, apart from the others; empty when it finds nothing.</summary>
    public IReadOnlyList<SchemaError> Branch(SchemaNode node, JsonElement instance, ref Run run)
    {
        var outer = _errors;
        _errors = [];
        _inBranches++;
        node.Collect(instance, ref run, this);
        _inBranches--;
        var found = _errors;
        _errors = outer;
        return found;
    }

    private void At(SchemaNode node, string step, JsonElement value, ref Run run)
    {
        if (IsFull)
            return;
        _path.Add(step);
        node.Collect(value, ref run, this);
        _path.RemoveAt(_path.Count - 1);
    }

    private string Pointer()
    {
        if (_path.Count == 0)
            return "";
        var text = new StringBuilder();
        foreach (var step in _path)
            text.Append('/').Append(JsonPointer.Escape(step));
        return text.ToString();
    }
}
