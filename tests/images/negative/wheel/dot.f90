subroutine dot_text(text)
  character(len=*), intent(out) :: text
  real :: a(3) = [1.0, 2.0, 3.0], b(3) = [4.0, 5.0, 6.0]
  write (text, '(f8.2)') dot_product(a, b)
end subroutine
