// Microsoft's own T-SQL parser on the command line. Reads statements, UTF-8, separated by NUL,
// from standard input and answers each with one line of JSON:
//
//   errors      number, line, column and message of each
//   statements  the kinds of the statements found: more than one where a value broke out
//   names       the values of the delimited identifiers, [a]]b] as a]b
//   texts       the values of the Unicode literals, N'o''neil' as o'neil
//
// The grammar is SQL Server 2019's.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.SqlServer.TransactSql.ScriptDom;

class Values : TSqlFragmentVisitor
{
    public readonly SortedDictionary<int, string> Names = new SortedDictionary<int, string>();
    public readonly SortedDictionary<int, string> Texts = new SortedDictionary<int, string>();

    public override void Visit(Identifier node)
    {
        if (node.QuoteType != QuoteType.NotQuoted) Names[node.StartOffset] = node.Value;
    }

    public override void Visit(StringLiteral node)
    {
        if (node.IsNational) Texts[node.StartOffset] = node.Value;
    }
}

static class Judge
{
    static string Quoted(string text)
    {
        // Everything as \uXXXX: JSON's pairs of surrogates are .NET's.
        return "\"" + string.Concat(text.Select(c => "\\u" + ((int)c).ToString("x4"))) + "\"";
    }

    static string Array(IEnumerable<string> items)
    {
        return "[" + string.Join(",", items) + "]";
    }

    static string Said(ParseError error)
    {
        return string.Format(
            "{{\"number\":{0},\"line\":{1},\"column\":{2},\"message\":{3}}}",
            error.Number, error.Line, error.Column, Quoted(error.Message));
    }

    static string Judged(string sql)
    {
        IList<ParseError> errors;
        var script = (TSqlScript)new TSql150Parser(true).Parse(new StringReader(sql), out errors);
        var kinds = new List<string>();
        var values = new Values();
        if (script != null)
        {
            kinds.AddRange(script.Batches.SelectMany(b => b.Statements).Select(s => s.GetType().Name));
            script.Accept(values);
        }
        return string.Format(
            "{{\"errors\":{0},\"statements\":{1},\"names\":{2},\"texts\":{3}}}",
            Array(errors.Select(Said)), Array(kinds.Select(Quoted)),
            Array(values.Names.Values.Select(Quoted)), Array(values.Texts.Values.Select(Quoted)));
    }

    static void Main()
    {
        var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false, true));
        foreach (var sql in input.ReadToEnd().Split('\0')) Console.WriteLine(Judged(sql));
    }
}
