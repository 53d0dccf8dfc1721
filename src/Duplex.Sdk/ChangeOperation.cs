namespace Duplex.Sdk;

/// <summary>What happened to a record at its source. The letters are Debezium's <c>op</c> values.</summary>
public enum ChangeOperation : byte
{
    /// <summary>Read by a snapshot or a backfill (<c>r</c>): the record exists and looks like this.</summary>
    Read,

    /// <summary>Created (<c>c</c>).</summary>
    Create,

    /// <summary>Updated (<c>u</c>), possibly with a new key (<see cref="Change.PreviousKey"/>).</summary>
    Update,

    /// <summary>Deleted (<c>d</c>).</summary>
    Delete,

    /// <summary>Every record of the stream was removed at once (<c>t</c>). Carries no key and no images.</summary>
    Truncate,
}
