using System.Runtime.CompilerServices;
using System.Text;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Parsing;

/// <summary>Parses by the binding power of operators.</summary>
internal sealed class Parser
{
    private const int NestingMax = 1_000;

    private readonly Lexer _lexer;
    private Token _token;
    private int _nesting;

    private Parser(string text)
    {
        _lexer = new(text);
        Advance(false);
    }

    public static Syntax Parse(string text)
    {
        var parser = new Parser(text);
        var result = parser.Expression(0);
        if (parser._token.Kind != TokenKind.End)
            throw Errors.At(parser._token.Position, "S0201", parser._token.Text);
        return result;
    }

    private static int Power(in Token token) => token.Kind != TokenKind.Operator ? 0 : token.Text switch
    {
        "(" or "[" or "@" or "#" => 80,
        "." => 75,
        "{" => 70,
        "*" or "/" or "%" => 60,
        "+" or "-" or "&" => 50,
        "=" or "!=" or "<" or "<=" or ">" or ">=" or "^" or "~>" or "?:" or "??" or "in" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    };

    private void Advance(bool afterOperand)
    {
        _token = _lexer.Next(afterOperand);
        if (_token.Kind == TokenKind.Operator && _token.Text is ("!" or "~"))
            throw Errors.At(_token.Position, "S0204", _token.Text);
    }

    private void Expect(string symbol, bool afterOperand = false)
    {
        if (!_token.Is(symbol))
        {
            bool ended = _token.Kind == TokenKind.End;
            throw Errors.At(_token.Position, ended ? "S0203" : "S0202", _token.Text, _token.Text, symbol);
        }
        Advance(afterOperand);
    }

    private bool Accept(string symbol)
    {
        if (!_token.Is(symbol))
            return false;
        Advance(false);
        return true;
    }

    private Syntax Expression(int power)
    {
        if (++_nesting > NestingMax || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw JsonataException.Limit($"The expression nests deeper than {NestingMax} levels.");
        var token = _token;
        bool isOperand = token.Kind != TokenKind.Operator || token.Text is "*" or "**" or "%" or "and" or "or" or "in";
        Advance(isOperand);
        var left = Prefix(token);
        while (power < Power(_token))
        {
            token = _token;
            Advance(false);
            left = Infix(token, left);
        }
        _nesting--;
        return left;
    }

    private Syntax Prefix(in Token token)
    {
        switch (token.Kind)
        {
            case TokenKind.End:
                return new(SyntaxKind.End, token.Text, token.Position);
            case TokenKind.Name:
                return new(SyntaxKind.Name, token.Text, token.Position);
            case TokenKind.Variable:
                return new(SyntaxKind.Variable, token.Text, token.Position);
            case TokenKind.String:
                return new(SyntaxKind.String, token.Text, token.Position);
            case TokenKind.Constant:
                return new(SyntaxKind.Constant, token.Text, token.Position);
            case TokenKind.Number:
                return new(SyntaxKind.Number, token.Text, token.Position) { Number = token.Number };
            case TokenKind.Regex:
                return new(SyntaxKind.Regex, token.Text, token.Position) { Pattern = token.Pattern };
        }
        return token.Text switch
        {
            "and" or "or" or "in" => new(SyntaxKind.Name, token.Text, token.Position),
            "*" => new(SyntaxKind.Wildcard, token.Text, token.Position),
            "**" => new(SyntaxKind.Descendant, token.Text, token.Position),
            "%" => new(SyntaxKind.Parent, token.Text, token.Position),
            "-" => new(SyntaxKind.Negate, token.Text, token.Position) { Left = Expression(70) },
            "(" => Block(token),
            "[" => ArrayConstructor(token),
            "{" => Members(new(SyntaxKind.Object, token.Text, token.Position)),
            "|" => Transform(token),
            _ => throw Errors.At(token.Position, "S0211", token.Text),
        };
    }

    private Syntax Infix(in Token token, Syntax left)
    {
        int power = Power(token);
        switch (token.Text)
        {
            case "(":
                return Call(token, left);
            case "[":
                return Predicate(token, left);
            case "{":
                return Members(new(SyntaxKind.Group, token.Text, token.Position) { Left = left });
            case "^":
                return Order(token, left);
            case "?":
                return Condition(token, left);
            case "?:" or "??":
                return new(token.Text == "?:" ? SyntaxKind.Default : SyntaxKind.Coalesce, token.Text, token.Position)
                {
                    Left = left,
                    Right = Expression(0),
                };
            case ":=":
                if (left.Kind != SyntaxKind.Variable)
                    throw Errors.At(left.Position, "S0212", left.Text);
                return new(SyntaxKind.Bind, token.Text, token.Position) { Left = left, Right = Expression(power - 1) };
            case "@" or "#":
                var variable = Expression(power);
                if (variable.Kind != SyntaxKind.Variable)
                    throw Errors.At(variable.Position, "S0214", token.Text);
                return new(token.Text == "@" ? SyntaxKind.Focus : SyntaxKind.Index, token.Text, token.Position)
                {
                    Left = left,
                    Right = variable,
                };
        }
        var kind = token.Text switch { "." => SyntaxKind.Step, "~>" => SyntaxKind.Apply, _ => SyntaxKind.Binary };
        return new(kind, token.Text, token.Position) { Left = left, Right = Expression(power) };
    }

    private Syntax Condition(in Token token, Syntax condition)
    {
        var result = new Syntax(SyntaxKind.Condition, token.Text, token.Position)
        {
            Left = condition,
            Right = Expression(0),
        };
        if (Accept(":"))
            result.Third = Expression(0);
        return result;
    }

    private Syntax Block(in Token token)
    {
        var result = new Syntax(SyntaxKind.Block, token.Text, token.Position);
        while (!_token.Is(")"))
        {
            result.Items.Add(Expression(0));
            if (!Accept(";"))
                break;
        }
        Expect(")", true);
        return result;
    }

    private Syntax ArrayConstructor(in Token token)
    {
        var result = new Syntax(SyntaxKind.Array, token.Text, token.Position);
        if (!_token.Is("]"))
        {
            do
            {
                var item = Expression(0);
                int position = _token.Position;
                if (Accept(".."))
                    item = new(SyntaxKind.Binary, "..", position) { Left = item, Right = Expression(0) };
                result.Items.Add(item);
            }
            while (Accept(","));
        }
        Expect("]", true);
        return result;
    }

    private Syntax Members(Syntax result)
    {
        if (!_token.Is("}"))
        {
            do
            {
                result.Items.Add(Expression(0));
                Expect(":");
                result.Items.Add(Expression(0));
            }
            while (Accept(","));
        }
        Expect("}", true);
        return result;
    }

    private Syntax Predicate(in Token token, Syntax left)
    {
        if (_token.Is("]"))
        {
            var step = left;
            while (step.Kind == SyntaxKind.Predicate)
                step = step.Left!;
            step.KeepsArray = true;
            Expect("]", true);
            return left;
        }
        var result = new Syntax(SyntaxKind.Predicate, token.Text, token.Position)
        {
            Left = left,
            Right = Expression(0),
        };
        Expect("]", true);
        return result;
    }

    private Syntax Order(in Token token, Syntax left)
    {
        Expect("(");
        var result = new Syntax(SyntaxKind.Order, token.Text, token.Position) { Left = left };
        do
        {
            bool descending = _token.Is(">");
            if (descending || _token.Is("<"))
                Advance(false);
            result.Descending.Add(descending);
            result.Items.Add(Expression(0));
        }
        while (Accept(","));
        Expect(")", true);
        return result;
    }

    private Syntax Transform(in Token token)
    {
        var result = new Syntax(SyntaxKind.Transform, token.Text, token.Position) { Left = Expression(0) };
        Expect("|");
        result.Right = Expression(0);
        if (Accept(","))
            result.Third = Expression(0);
        Expect("|", true);
        return result;
    }

    private Syntax Call(in Token token, Syntax procedure)
    {
        var result = new Syntax(SyntaxKind.Call, token.Text, token.Position) { Left = procedure };
        if (!_token.Is(")"))
        {
            do
            {
                if (_token.Is("?"))
                {
                    result.Kind = SyntaxKind.Partial;
                    result.Items.Add(new(SyntaxKind.Placeholder, "?", _token.Position));
                    Advance(true);
                }
                else
                    result.Items.Add(Expression(0));
            }
            while (Accept(","));
        }
        Expect(")", true);
        return procedure is { Kind: SyntaxKind.Name, Text: "function" or "λ" } ? Lambda(result) : result;
    }

    private Syntax Lambda(Syntax result)
    {
        foreach (var parameter in result.Items)
        {
            if (parameter.Kind != SyntaxKind.Variable)
                throw Errors.At(parameter.Position, "S0208", parameter.Text);
        }
        result.Kind = SyntaxKind.Lambda;
        if (_token.Is("<"))
            result.Signature = ReadSignature();
        Expect("{");
        result.Right = Expression(0);
        Expect("}", true);
        return result;
    }

    private Signature ReadSignature()
    {
        int position = _token.Position;
        var text = new StringBuilder("<");
        for (int depth = 1; depth > 0 && !_token.Is("{") && _token.Kind != TokenKind.End;)
        {
            Advance(true);
            depth += _token.Is(">") ? -1 : _token.Is("<") ? 1 : 0;
            text.Append(_token.Text);
        }
        Expect(">");
        return Signature.Parse(text.ToString(), position);
    }
}
