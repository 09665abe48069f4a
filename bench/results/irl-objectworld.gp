# gnuplot -e "set terminal svg size 720,400; set output 'bench/results/irl-objectworld.svg'" bench/results/irl-objectworld.gp
set datafile separator ","
set logscale x 2
set xtics (8,16,32,64,128)
set xrange [7:150]
set yrange [0:*]
set grid lc rgb "#e4e8ec"
set border 3 lc rgb "#9aa5b1"
set tics nomirror
set xlabel "demonstrations of 8 steps"
set ylabel "expected value difference"
set key top right
f="bench/results/irl-objectworld.csv"
plot "< grep linear ".f using 1:3:4 with yerrorbars pt 7 lc rgb "#d55e00" notitle, \
     "< grep linear ".f using 1:3 with lines lw 2 lc rgb "#d55e00" title "linear", \
     "< grep linear ".f using 1:5 with lines lw 2 dt 2 lc rgb "#d55e00" title "linear, unseen worlds", \
     "< grep network ".f using 1:3:4 with yerrorbars pt 7 lc rgb "#0072b2" notitle, \
     "< grep network ".f using 1:3 with lines lw 2 lc rgb "#0072b2" title "network", \
     "< grep network ".f using 1:5 with lines lw 2 dt 2 lc rgb "#0072b2" title "network, unseen worlds"
