namespace Duplex.Storage.Embedded.Commits;

/// <summary>What a store keeps in memory beside its database follows the group's fate. Called on the writer's
/// thread.</summary>
internal interface IGroupObserver
{
    /// <summary>All requests are applied; the last writes of the group.</summary>
    void Committing();

    /// <summary>The group is on disk; callers are told next.</summary>
    void Committed();

    /// <summary>Nothing of the group is stored.</summary>
    void RolledBack();
}
