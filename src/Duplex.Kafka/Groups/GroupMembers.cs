using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Topics;

namespace Duplex.Kafka.Groups;

/// <summary>The members of consumer groups that live in this process, by consumer.</summary>
internal sealed class GroupMembers(ClientFactory clients)
{
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(5);
    private readonly Dictionary<string, List<GroupMember>> _members = new(StringComparer.Ordinal);

    /// <summary>Makes a member, which begins at once.</summary>
    public PartitionShare Join(string consumer, string member, IReadOnlyList<Topic> topics)
    {
        var made = new GroupMember(clients, consumer, member, topics);
        Task before;
        lock (_members)
        {
            if (!_members.TryGetValue(consumer, out var members))
            {
                _members[consumer] = members = [];
            }

            members.RemoveAll(static m => m.Ended.IsCompleted);
            before = Task.WhenAll(members.Where(m => m.Name == member).Select(static m => m.Ended));
            members.Add(made);
        }

        made.Start(before);
        return made.Share;
    }

    /// <summary>Notes that a consumer has got further. False if it has no member here.</summary>
    public bool Changed(string consumer, PartitionLog partition)
    {
        lock (_members)
        {
            var has = false;
            foreach (var member in _members.GetValueOrDefault(consumer, []).Where(static m => !m.Ended.IsCompleted))
            {
                member.Changed(partition);
                has = true;
            }

            return has;
        }
    }

    /// <summary>Ends every member that is left.</summary>
    public async ValueTask EndAsync()
    {
        GroupMember[] left;
        lock (_members)
        {
            left = [.. _members.Values.SelectMany(static m => m)];
        }

        await Task.WhenAll(left.Select(static m => m.LeaveAsync().AsTask())).ConfigureAwait(false);
        // One that has not been taken in yet cannot end before, and ends with the process where it cannot be taken in.
        await Task.WhenAny(Task.WhenAll(left.Select(static m => m.Ended)), Task.Delay(EndWithin)).ConfigureAwait(false);
    }
}
